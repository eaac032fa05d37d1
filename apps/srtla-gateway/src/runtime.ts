import type { srtla } from '@mediaplane/proto';
import type { ServiceRuntime } from '@mediaplane/service';
import type { SrtlaGatewayConfig } from './config.ts';

/** What libs/service gives to srtla-gateway: configuration, bus, directory, events and all that. */
export type SrtlaGatewayRuntime = ServiceRuntime<SrtlaGatewayConfig, srtla.SrtlaSession, srtla.SrtlaEvent>;
