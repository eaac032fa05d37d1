import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import type { ConfigProblem } from '@mediaplane/service';
import type { ConfiguredUplink } from '../config.ts';
import { configKey } from '../validation/config-key.ts';
import { parseServer } from '../validation/names.ts';
import { validateUplink } from '../validation/uplink-requests.ts';
import type { UpstreamRange } from '../validation/upstream-range.ts';

const { CLASSIC, ENHANCED } = srtla.SchedulingMode;

/** What is wrong with the uplinks that the configuration lists. */
export function configuredUplinksProblem(
  entries: readonly ConfiguredUplink[],
  upstream: UpstreamRange,
): ConfigProblem | undefined {
  for (const [i, entry] of entries.entries()) {
    const twin = entries.findIndex(({ name }) => name === entry.name);
    if (twin < i) return { path: `uplinks[${i}].name`, complaint: `is that of uplinks[${twin}] too` };
    const { listenAddress: address, listenPort: port } = entry;
    const rival = entries.findIndex(
      ({ listenAddress, listenPort }) => listenAddress === address && listenPort === port,
    );
    if (port !== 0 && rival < i) {
      return { path: `uplinks[${i}].listenPort`, complaint: `is that of uplinks[${rival}] too` };
    }
    if (parseServer(entry.receiver) === undefined) {
      return { path: `uplinks[${i}].receiver`, complaint: `must be host:port, is "${entry.receiver}"` };
    }
    try {
      validateUplink(settingsOf(entry), upstream);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.fieldViolations === undefined) throw error;
      const [{ field, description }] = error.fieldViolations;
      return { path: `uplinks[${i}].${keyOf(field)}`, complaint: description };
    }
  }
  return undefined;
}

/** The settings of uplinks with which nothing is wrong. */
export function configuredUplinks(
  entries: readonly ConfiguredUplink[],
  upstream: UpstreamRange,
): srtla.UplinkSettings[] {
  return entries.map((entry) => validateUplink(settingsOf(entry), upstream));
}

function settingsOf({ receiver, mode, ...rest }: ConfiguredUplink): srtla.UplinkSettings {
  const server = parseServer(receiver);
  return srtla.UplinkSettings.fromPartial({
    ...rest,
    receiverHost: server?.host ?? '',
    receiverPort: server?.port ?? 0,
    mode: mode === 'classic' ? CLASSIC : ENHANCED,
  });
}

/** Host and port are one key. */
function keyOf(field: string): string {
  const key = configKey(field);
  return key === 'receiverHost' || key === 'receiverPort' ? 'receiver' : key;
}
