import { ServiceError } from '@mediaplane/control';
import type { NetInterface } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { ConfigError } from '@mediaplane/service';
import type { ConfiguredListener } from '../config.ts';
import { parseServer } from '../validation/names.ts';
import { validateListener } from '../validation/listener-settings.ts';

const { DrainingReply } = srtla;
type ConfiguredAction = ConfiguredListener['withoutStreamId'];

const REFUSALS: Readonly<Record<string, srtla.IngestRefusal>> = {
  unauthorized: srtla.IngestRefusal.UNAUTHORIZED,
  forbidden: srtla.IngestRefusal.FORBIDDEN,
};

/** The settings of the listeners that the configuration lists. @throws ConfigError that names the entry and what is wrong with it */
export function configuredListeners(
  entries: readonly ConfiguredListener[],
  interfaces: readonly NetInterface[],
): srtla.ListenerSettings[] {
  return entries.map((entry, i) => {
    try {
      const twin = entries.findIndex(({ name }) => name === entry.name);
      if (twin !== i) throw ServiceError.invalidField('settings.name', `is that of listeners[${twin}] too`);
      const rival = entries.findIndex(
        ({ port, interface: name }) => port !== 0 && port === entry.port && name === entry.interface,
      );
      if (rival !== -1 && rival < i) throw ServiceError.invalidField('port', `is that of listeners[${rival}] too`);
      return validateListener(settingsOf(entry), interfaces);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw new ConfigError(`configuration: listeners[${i}]: ${error.message.replaceAll('settings.', '')}`);
    }
  });
}

function settingsOf(entry: ConfiguredListener): srtla.ListenerSettings {
  const { name, port, maxGroups, maxLinksPerGroup, maxHalfOpenGroups, linkTimeoutMs, groupTimeoutMs } = entry;
  return srtla.ListenerSettings.fromPartial({
    name,
    interface: entry.interface,
    port,
    ingest: { policy: policyOf(entry) },
    limits: { maxGroups, maxLinksPerGroup, maxHalfOpenGroups, linkTimeoutMs, groupTimeoutMs },
    refuseLateLinks: entry.refuseLateLinks,
    noReplyPadding: !entry.padReplies,
    ackCopyIntervalMs: entry.ackCopyIntervalMs,
    drainingReply: entry.drainingReply === 'nak' ? DrainingReply.NAK : DrainingReply.SILENCE,
  });
}

function policyOf({ server, rules, withoutStreamId }: ConfiguredListener): srtla.IngestPolicy['policy'] {
  if (server !== '') {
    if (rules.length > 0) throw ServiceError.invalidField('server', 'must be empty where there are rules');
    if (actionOf(withoutStreamId) !== undefined) {
      throw ServiceError.invalidField('withoutStreamId', 'must be empty where server says where all streams go');
    }
    return { $case: 'fixed', value: serverOf(server) };
  }
  if (rules.length === 0 && actionOf(withoutStreamId) === undefined) {
    throw ServiceError.invalidField('server', 'must be set, or rules or withoutStreamId: this refuses every stream');
  }
  const value = srtla.IngestRules.fromPartial({
    rules: rules.map((rule) => ({ ...rule, then: actionOf(rule) })),
    withoutStreamId: actionOf(withoutStreamId),
  });
  return { $case: 'rules', value };
}

/** Undefined when it says nothing. */
function actionOf(configured: ConfiguredAction): srtla.IngestAction | undefined {
  const { server, refuse, callbackGrpc, callbackSubject, streamName } = configured;
  const said = [server, refuse, callbackGrpc, callbackSubject].filter((text) => text !== '');
  if (said.length === 0) return undefined;
  if (said.length > 1) {
    throw ServiceError.invalidField('action', 'must have one of server, refuse, callbackGrpc, callbackSubject');
  }
  return { action: choiceOf(configured), streamName };
}

function choiceOf({ server, refuse, callbackGrpc, callbackSubject }: ConfiguredAction): srtla.IngestAction['action'] {
  if (server !== '') return { $case: 'server', value: serverOf(server) };
  if (refuse !== '') {
    const value = REFUSALS[refuse];
    if (value === undefined) throw ServiceError.invalidField('refuse', `must be ${Object.keys(REFUSALS).join(' or ')}`);
    return { $case: 'refuse', value };
  }
  const target: srtla.IngestCallback['target'] =
    callbackGrpc !== ''
      ? { $case: 'grpcTarget', value: callbackGrpc }
      : { $case: 'busSubject', value: callbackSubject };
  return { $case: 'callback', value: { target } };
}

function serverOf(text: string): srtla.SrtServer {
  const server = parseServer(text);
  if (server === undefined) throw ServiceError.invalidField('server', `must be host:port, is "${text}"`);
  return server;
}
