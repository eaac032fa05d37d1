import { FleetServiceDefinition, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { pino } from 'pino';
import { trace } from '@opentelemetry/api';
import { z } from 'zod';
import { commonConfig } from '../src/config/common-config.ts';
import type { CommonConfig } from '../src/config/common-config.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { defineApi } from '../src/grpc/api.ts';
import type { Handlers } from '../src/grpc/api.ts';
import { GrpcServer } from '../src/grpc/grpc-server.ts';
import { DirectRouter } from './direct-router.ts';

/** One unary and one streaming method, with messages that exist: enough to show what the binding does. */
export const ToyDefinition = {
  name: 'FleetService',
  fullName: 'mediaplane.fleet.v1.FleetService',
  methods: {
    getInstance: FleetServiceDefinition.methods.getInstance,
    readRecording: RtpChannelServiceDefinition.methods.readRecording,
  },
} as const;

export type ToyHandlers = Handlers<typeof ToyDefinition>;
type ToyFunctions = { readonly [K in keyof ToyHandlers]?: ToyHandlers[K]['handler'] };

export class Toy {
  readonly router = new DirectRouter();
  readonly logged: Record<string, unknown>[] = [];
  readonly durations: { readonly seconds: number; readonly attributes: unknown }[] = [];
  readonly server: GrpcServer;
  address = '';

  constructor(functions: ToyFunctions, grpc: Partial<CommonConfig['grpc']> = {}) {
    const config = loadConfig(z.strictObject(commonConfig), { values: { grpc: { port: 0, ...grpc } } });
    const api = defineApi(ToyDefinition, {
      getInstance: {
        route: { kind: 'local' },
        handler: functions.getInstance ?? ((request) => ({ instance: toyInstance(request.instanceId) })),
      },
      readRecording: { route: { kind: 'local' }, handler: functions.readRecording ?? async function* () {} },
    });
    const out = { write: (line: string) => void this.logged.push(JSON.parse(line)) };
    this.server = new GrpcServer(config.grpc);
    this.server.serve([api], this.router, {
      tracer: trace.getTracer('test'),
      log: pino({}, out),
      duration: { record: (seconds, attributes) => void this.durations.push({ seconds, attributes }) },
    });
  }

  async listen(): Promise<this> {
    const port = await this.server.listen();
    this.server.setServing(true);
    this.address = `localhost:${port}`;
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
  }
}

function toyInstance(instanceId: string) {
  return FleetServiceDefinition.methods.getInstance.responseType.fromPartial({ instance: { instanceId } }).instance;
}
