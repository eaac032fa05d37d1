import { srtla } from '@mediaplane/proto';
import { startService } from '@mediaplane/service';
import type { RunningService, ServiceSpec, StartOptions } from '@mediaplane/service';
import packageJson from '../package.json' with { type: 'json' };
import { checkConfig } from './check-config.ts';
import { srtlaGatewayConfig } from './config.ts';
import { GROUP_KIND } from './kinds.ts';
import { SrtlaGatewayModule } from './srtla-gateway.module.ts';
import { SrtlaGateway } from './srtla-gateway.ts';
import { lostEvent } from './watch/sessions.ts';

type Spec = ServiceSpec<typeof srtlaGatewayConfig, srtla.SrtlaSession, srtla.SrtlaEvent>;

/** Starts the service in this process: alone in main.ts, among others in apps/standalone, and in tests. */
export function startSrtlaGateway(options?: StartOptions): Promise<RunningService> {
  return startService(srtlaGatewaySpec(), options);
}

function srtlaGatewaySpec(): Spec {
  return {
    name: 'srtla-gateway',
    kind: GROUP_KIND,
    version: packageJson.version,
    config: srtlaGatewayConfig,
    checkConfig,
    // A group has one socket, an uplink one for each link; ports towards SRT servers are of a range of their own.
    needs: { ports: 0, descriptors: 4 },
    record: srtla.SrtlaSession,
    event: srtla.SrtlaEvent,
    lostEvent,
    module: (runtime) => SrtlaGatewayModule.register(runtime),
    parts(app) {
      const service = app.get(SrtlaGateway);
      return {
        apis: service.apis,
        sessions: () => service.sessions,
        onDrain: (draining) => service.setDraining(draining),
        closeAll: () => service.closeAll(),
        closeOrphans: (ids) => service.closeOrphans(ids),
        unhealthy: () => service.unhealthy(),
        status: () => service.status(),
      };
    },
  };
}
