/**
 * What turns a module into a service: validated configuration, gRPC with health and reflection, the control plane, capacity and
 * drain, telemetry, logs and the admin pages. An app describes itself with a `ServiceSpec` and calls `runServices`.
 */
export { commonConfig } from './config/common-config.ts';
export type { CommonConfig } from './config/common-config.ts';
export { choice, decimal, flag, integer, list, pattern, section, text } from './config/keys.ts';
export { ConfigError, loadConfig } from './config/load-config.ts';
export type { ConfigProblem, ConfigSources } from './config/load-config.ts';
export { netInterfaces, proveInterfaces } from './config/net-interfaces.ts';
export { configKeys, configTable } from './config/schema-walk.ts';
export { defineApi } from './grpc/api.ts';
export type { Api, Handler, Handlers, RoutedMethods, ServedApi } from './grpc/api.ts';
export { bounded } from './grpc/bounded.ts';
export { createClient } from './grpc/client.ts';
export type { ClientCallOptions, ClientOptions, ServiceClient } from './grpc/client.ts';
export { clientCredentials } from './grpc/credentials.ts';
export type { ClientTlsFiles } from './grpc/credentials.ts';
export { checkHealth } from './grpc/health-probe.ts';
export { hostPort } from './host-port.ts';
export { runServices } from './lifecycle/run-services.ts';
export { ServiceRuntime } from './lifecycle/service-spec.ts';
export type { ConfigOf, ServiceParts, ServiceSpec, StartOptions } from './lifecycle/service-spec.ts';
export { portRangeAdvice, readProc } from './lifecycle/start-checks.ts';
export type { Advice, ReadProc } from './lifecycle/start-checks.ts';
export { startService } from './lifecycle/start-service.ts';
export type { RunningService } from './lifecycle/start-service.ts';
export { parseFilter } from './validation/filter.ts';
export type { SessionFilter } from './validation/filter.ts';
export { normaliseLabels } from './validation/labels.ts';
export { lastIdOf, pageSize, pageToken } from './validation/pages.ts';
export { requestId } from './validation/request-id.ts';
export { quoted, Violations } from './validation/violations.ts';
export { defineMetrics, prometheusName } from './telemetry/metric-definition.ts';
export type { MetricDefinition } from './telemetry/metric-definition.ts';
export type { Counter, Histogram, Metrics, Observation } from './telemetry/metrics.ts';
export { CONTROL_METRICS } from './telemetry/control-metrics.ts';
export { SERVICE_METRICS } from './telemetry/service-metrics.ts';
export { THREAD_METRICS, droppedByThreads, registerThreadMetrics } from './telemetry/thread-metrics.ts';
