import { makeSessionId } from '@mediaplane/control';
import type { UdpSockets } from '@mediaplane/net';
import { UPLINK_KIND } from '../kinds.ts';
import type { SessionEvents } from '../listeners/session-events.ts';
import type { Totals } from '../listeners/totals.ts';
import { NamedRecords } from '../records/named-records.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { SrtlaGatewayRuntime } from '../runtime.ts';
import type { UplinkParts } from '../uplinks/parts.ts';
import { Uplinks } from '../uplinks/uplinks.ts';
import { StandingUplinks } from './standing-uplinks.ts';
import { UplinkRecords } from './uplink-records.ts';
import { UplinkSessions } from './uplink-sessions.ts';

export interface MakeUplinksParts {
  readonly runtime: SrtlaGatewayRuntime;
  readonly media: UplinkParts['media'];
  readonly sockets: UdpSockets;
  readonly store: RecordStore;
  readonly sessions: SessionEvents;
  readonly totals: Totals;
}

export interface MadeUplinks {
  readonly uplinks: Uplinks;
  readonly uplinkSessions: UplinkSessions;
  readonly standingUplinks: StandingUplinks;
}

/** Uplinks, put together from the parts that do their work. What ends with them goes on `stack`. */
export function makeUplinks(parts: MakeUplinksParts, stack: AsyncDisposableStack): MadeUplinks {
  const { runtime, media, sockets, store, sessions, totals } = parts;
  const { log, instanceId } = runtime;
  const uplinks = new Uplinks({
    media,
    sockets,
    log,
    newUplinkId: () => makeSessionId(UPLINK_KIND, instanceId),
    onEvent: (event) => {
      if (event.type === 'uplink-deleted') totals.forgetUplink(event.uplinkId);
      uplinkSessions.onEvent(event);
    },
    onStatistics: (view) => {
      totals.uplink(view);
      uplinkSessions.onStatistics(view);
    },
  });
  stack.defer(() => uplinks.stop());
  const stored = new NamedRecords(store, 'uplink');
  stack.defer(() => stored.stop());
  const records = new UplinkRecords(stored);
  const uplinkSessions: UplinkSessions = new UplinkSessions({
    instanceId,
    uplinks: () => uplinks,
    events: sessions,
    records,
  });
  stack.defer(() => uplinkSessions.closeAll());
  const standingUplinks = new StandingUplinks(uplinkSessions, records, log);
  stack.defer(() => standingUplinks.stop());
  return { uplinks, uplinkSessions, standingUplinks };
}
