import type { Codec } from '@mediaplane/control';
import type { DynamicModule } from '@nestjs/common';
import { defineApi, integer, runServices, section, ServiceRuntime, startService } from '../src/index.ts';
import type { ConfigOf, ServiceSpec } from '../src/index.ts';
import { ToyDefinition } from './toy-service.ts';

const toyConfig = { toy: section({ openAtStart: integer(0, 100, 0, 'Sessions that are open from the start.') }) };
type ToyRuntime = ServiceRuntime<ConfigOf<typeof toyConfig>, string, string>;

/** Sessions that are nothing but a number. */
export class ToySessions {
  open: number;
  closedAtShutdown = 0;
  ill: string | undefined;

  constructor(runtime: ToyRuntime) {
    this.open = runtime.config.toy.openAtStart;
  }
}

class ToyModule {}

const textCodec: Codec<string> = {
  encode: (text) => ({ finish: () => new TextEncoder().encode(text) }),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

/** The least a service can be: what runs here is the frame. */
export const toySpec: ServiceSpec<typeof toyConfig, string, string> = {
  name: 'toy',
  kind: 'ty',
  version: '1.2.3',
  config: toyConfig,
  needs: { ports: 2, descriptors: 2 },
  record: textCodec,
  event: textCodec,
  lostEvent: ({ sessionId }) => `${sessionId} lost`,
  module: (): DynamicModule => ({
    module: ToyModule,
    providers: [
      { provide: ToySessions, useFactory: (runtime: ToyRuntime) => new ToySessions(runtime), inject: [ServiceRuntime] },
    ],
  }),
  parts(app) {
    const sessions = app.get(ToySessions);
    return {
      apis: [toyApi],
      sessions: () => sessions.open,
      closeAll: async () => {
        sessions.closedAtShutdown += sessions.open;
        sessions.open = 0;
      },
      closeOrphans: () => {},
      unhealthy: () => sessions.ill,
      status: () => ({ toys: sessions.open }),
    };
  },
};

/** Its own API, beside FleetService that every service has. */
const toyApi = defineApi(
  {
    name: 'ToyService',
    fullName: 'mediaplane.toy.v1.ToyService',
    methods: { read: ToyDefinition.methods.readRecording },
  },
  { read: { route: { kind: 'local' }, handler: async function* () {} } },
);

if (import.meta.main) await runServices(async (options) => [await startService(toySpec, options)]);
