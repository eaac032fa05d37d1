import { ServiceError } from '@mediaplane/control';
import type { NetInterface } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { ConfigError, quoted } from '@mediaplane/service';
import type { ConfiguredListener } from '../config.ts';
import { configKey } from '../validation/config-key.ts';
import { parseServer } from '../validation/names.ts';
import { validateListener } from '../validation/listener-settings.ts';
import type { UpstreamRange } from '../validation/upstream-range.ts';

const { DrainingReply } = srtla;
type ConfiguredAction = ConfiguredListener['withoutStreamId'];

const REFUSALS: ReadonlyMap<string, srtla.IngestRefusal> = new Map([
  ['unauthorized', srtla.IngestRefusal.UNAUTHORIZED],
  ['forbidden', srtla.IngestRefusal.FORBIDDEN],
]);

/** The settings of the listeners that the configuration lists. @throws ConfigError that names the entry and what is wrong with it */
export function configuredListeners(
  entries: readonly ConfiguredListener[],
  interfaces: readonly NetInterface[],
  upstream: UpstreamRange,
): srtla.ListenerSettings[] {
  return entries.map((entry, i) => {
    try {
      const twin = entries.findIndex(({ name }) => name === entry.name);
      if (twin !== i) throw ServiceError.invalidField('name', `is that of listeners[${twin}] too`);
      const rival = entries.findIndex(
        ({ port, interface: name }) => port !== 0 && port === entry.port && name === entry.interface,
      );
      if (rival !== -1 && rival < i) throw ServiceError.invalidField('port', `is that of listeners[${rival}] too`);
      return validateListener(settingsOf(entry), interfaces, upstream);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.fieldViolations === undefined) throw error;
      const wrong = error.fieldViolations.map(
        ({ field, description }) => `listeners[${i}].${keyOf(field)}: ${description}`,
      );
      throw new ConfigError(`configuration: ${wrong.join('; ')}`);
    }
  });
}

/** Limits and the ingest policy have no levels of their own, a server is one key, and so is whoever is asked. */
function keyOf(field: string): string {
  return configKey(field)
    .replace(/^limits\.|^ingest\.rules\./, '')
    .replace('ingest.fixed', 'server')
    .replace('.then', '')
    .replace('callback.grpcTarget', 'callbackGrpc')
    .replace('callback.busSubject', 'callbackSubject')
    .replace(/\.(host|port)$/, '');
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
    if (hasAction(withoutStreamId)) {
      throw ServiceError.invalidField('withoutStreamId', 'must be empty where server says where all streams go');
    }
    return { $case: 'fixed', value: serverOf(server, 'server') };
  }
  if (rules.length === 0 && !hasAction(withoutStreamId)) {
    throw ServiceError.invalidField('server', 'must be set, or rules or withoutStreamId: this refuses every stream');
  }
  const value = srtla.IngestRules.fromPartial({
    rules: rules.map((rule, i) => ({ ...rule, then: actionOf(rule, `rules[${i}]`) })),
    withoutStreamId: hasAction(withoutStreamId) ? actionOf(withoutStreamId, 'withoutStreamId') : undefined,
  });
  return { $case: 'rules', value };
}

const ACTIONS = ['server', 'refuse', 'callbackGrpc', 'callbackSubject'] as const;

function hasAction(configured: ConfiguredAction): boolean {
  return ACTIONS.some((key) => configured[key] !== '');
}

/** `path`: where it stands in the entry. */
function actionOf(configured: ConfiguredAction, path: string): srtla.IngestAction {
  const { server, refuse, callbackGrpc, callbackSubject, streamName } = configured;
  const given = ACTIONS.filter((key) => configured[key] !== '');
  if (given.length !== 1) {
    const has = given.length === 0 ? 'none' : given.join(' and ');
    throw ServiceError.invalidField(path, `must have one of ${ACTIONS.join(', ')}, has ${has}`);
  }
  const actions: Record<(typeof ACTIONS)[number], () => srtla.IngestAction['action']> = {
    server: () => ({ $case: 'server', value: serverOf(server, `${path}.server`) }),
    refuse: () => ({ $case: 'refuse', value: refusalOf(refuse, `${path}.refuse`) }),
    callbackGrpc: () => ({ $case: 'callback', value: { target: { $case: 'grpcTarget', value: callbackGrpc } } }),
    callbackSubject: () => ({ $case: 'callback', value: { target: { $case: 'busSubject', value: callbackSubject } } }),
  };
  return { action: actions[given[0]](), streamName };
}

function refusalOf(text: string, path: string): srtla.IngestRefusal {
  const refusal = REFUSALS.get(text);
  if (refusal !== undefined) return refusal;
  throw ServiceError.invalidField(path, `must be ${[...REFUSALS.keys()].join(' or ')}, is ${quoted(text)}`);
}

function serverOf(text: string, path: string): srtla.SrtServer {
  const server = parseServer(text);
  if (server === undefined) throw ServiceError.invalidField(path, `must be host:port, is ${quoted(text)}`);
  return server;
}
