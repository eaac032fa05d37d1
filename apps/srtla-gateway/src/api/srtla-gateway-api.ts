import type { Directory, Events } from '@mediaplane/control';
import type { NetInterface } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { bounded, defineApi } from '@mediaplane/service';
import type { Api } from '@mediaplane/service';
import type { Listeners } from '../listeners/listeners.ts';
import type { UpstreamRange } from '../validation/upstream-range.ts';
import type { StatisticsBus } from '../watch/statistics-bus.ts';
import { watchGroups, watchUplinks } from '../watch/watch.ts';
import { listenerHandlers } from './listener-handlers.ts';
import type { StandingUplinks } from './standing-uplinks.ts';
import { uplinkHandlers } from './uplink-handlers.ts';
import type { UplinkSessions } from './uplink-sessions.ts';

export interface SrtlaGatewayApiOptions {
  readonly listeners: Listeners;
  readonly uplinks: UplinkSessions;
  readonly standingUplinks: StandingUplinks;
  readonly interfaces: readonly NetInterface[];
  readonly upstream: UpstreamRange;
  readonly directory: Directory<srtla.SrtlaSession>;
  readonly events: Events<srtla.SrtlaSession, srtla.SrtlaEvent>;
  readonly statistics: StatisticsBus;
  readonly maxWatches: number;
}

/** `mediaplane.srtla.v1.SrtlaGatewayService`. */
export function srtlaGatewayApi(options: SrtlaGatewayApiOptions): Api<srtla.SrtlaGatewayServiceDefinition> {
  const { listeners, uplinks, standingUplinks, interfaces, upstream, directory, events, statistics, maxWatches } =
    options;
  return defineApi(srtla.SrtlaGatewayServiceDefinition, {
    ...listenerHandlers(listeners, interfaces, upstream, directory),
    ...uplinkHandlers(uplinks, standingUplinks, upstream, directory),
    watchGroups: {
      route: { kind: 'local' },
      handler: bounded('watches', maxWatches, (request, { signal }) =>
        watchGroups(events, statistics, request, signal),
      ),
    },
    watchUplinks: {
      route: { kind: 'local' },
      handler: bounded('watches', maxWatches, (request, { signal }) =>
        watchUplinks(events, statistics, request, signal),
      ),
    },
  });
}
