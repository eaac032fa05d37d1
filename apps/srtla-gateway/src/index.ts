/**
 * srtla-gateway: SRT over bonded links (SRTLA), receiver and sender. Listeners and uplinks are made over gRPC
 * (`mediaplane.srtla.v1.SrtlaGatewayService`) or by configuration; their media flows on media threads (src/media).
 */
export { srtlaGatewayConfig } from './config.ts';
export type { SrtlaGatewayConfig } from './config.ts';
export { SRTLA_GATEWAY_METRICS } from './metrics.ts';
export { SrtlaGateway } from './srtla-gateway.ts';
export { startSrtlaGateway } from './service-spec.ts';
