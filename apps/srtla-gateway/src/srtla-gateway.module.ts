import type { DynamicModule } from '@nestjs/common';
import { SrtlaGateway } from './srtla-gateway.ts';
import type { SrtlaGatewayRuntime } from './runtime.ts';

/** The Nest shell: one provider, which Nest starts and ends. */
export class SrtlaGatewayModule {
  static register(runtime: SrtlaGatewayRuntime): DynamicModule {
    return {
      module: SrtlaGatewayModule,
      providers: [{ provide: SrtlaGateway, useFactory: () => SrtlaGateway.start(runtime) }],
      exports: [SrtlaGateway],
    };
  }
}
