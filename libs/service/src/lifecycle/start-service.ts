import { ControlPlane, makeInstanceId } from '@mediaplane/control';
import type { Bus } from '@mediaplane/control';
import type { INestApplicationContext } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { DestinationStream } from 'pino';
import { z } from 'zod';
import { AdminServer } from '../admin/admin-server.ts';
import { checkCommonConfig, commonConfig } from '../config/common-config.ts';
import type { CommonConfig } from '../config/common-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { ConfigSources } from '../config/load-config.ts';
import { registerApi } from '../grpc/api.ts';
import { GrpcServer } from '../grpc/grpc-server.ts';
import { checkHealth, peerCredentials } from '../grpc/health-probe.ts';
import { createLogger } from '../log/logger.ts';
import { registerControlMetrics } from '../telemetry/control-metrics.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { registerServiceMetrics } from '../telemetry/service-metrics.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { mediaAddresses, reachableAt } from './addresses.ts';
import { Capacity } from './capacity.ts';
import { connectBus } from './connect-bus.ts';
import { Drain } from './drain.ts';
import { fleetApi } from './fleet-api.ts';
import { LoopLag } from './loop-lag.ts';
import { startNest } from './nest-context.ts';
import { ServiceRuntime } from './service-spec.ts';
import type { ConfigOf, ConfigSchema, ServiceParts, ServiceSpec } from './service-spec.ts';
import { maxDescriptors, readProc, startChecks } from './start-checks.ts';

/** How long another instance may take to prove that it lives. */
const PROBE_TIMEOUT_MS = 1_000;

export interface StartOptions {
  readonly sources?: ConfigSources;
  /** A bus that several services of a process share; the caller closes it. Default: as configured. */
  readonly bus?: Bus;
  /** Where spans go besides the configured endpoint. */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Where log lines go; default: standard output. */
  readonly logTo?: DestinationStream;
}

/** A service that serves. */
export interface RunningService {
  readonly name: string;
  readonly instanceId: string;
  /** `address:port` to reach it by. */
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly config: CommonConfig;
  readonly app: INestApplicationContext;
  /** Takes no new sessions, waits for those there are (default: `drainGraceMs`), closes the rest, and ends everything. */
  stop(reason: string, graceMs?: number): Promise<void>;
}

/** Starts one service. Rejects with ConfigError for a bad configuration; then, as for any failure, nothing is left behind. */
export async function startService<Own extends z.ZodRawShape, Rec, Ev>(
  spec: ServiceSpec<Own, Rec, Ev>,
  options: StartOptions = {},
): Promise<RunningService> {
  const { config, common } = readConfig(spec, options.sources ?? {});
  const instanceId = makeInstanceId();
  const startedMs = performance.now();
  await using parts = new AsyncDisposableStack();

  const resource = resourceFromAttributes({
    'service.name': spec.name,
    'service.version': spec.version,
    'service.instance.id': instanceId,
  });
  const tracing = startTracing({ resource, ...common.telemetry, processors: options.spanProcessors });
  parts.defer(() => tracing.shutdown());
  const metrics = new Metrics({ resource, ...common.telemetry });
  parts.defer(() => metrics.shutdown());
  const log = createLogger(common.log, { service: spec.name, instance: instanceId }, options.logTo);
  const advice = startChecks(common, spec.needs, readProc, Date.now());
  for (const { topic, message } of advice) log.warn({ topic }, message);

  let service: ServiceParts | undefined;
  const sessions = (): number => service?.sessions() ?? 0;
  const portCount = common.net.rtpPortMax - common.net.rtpPortMin + 1;
  const limits = { ...common.capacity, portCount, maxDescriptors: maxDescriptors(readProc) };
  const capacity = new Capacity(limits, spec.needs, sessions);
  // Nothing is placed here before `service` is set.
  const announced = () => (service === undefined ? { limit: 0, used: 0 } : capacity.snapshot());
  const loopLag = new LoopLag((meanMs) => capacity.onLoopLag(meanMs));
  parts.defer(() => loopLag.stop());

  const bus = options.bus ?? (await connectBus(common.bus, `${spec.name} ${instanceId}`, log));
  if (options.bus === undefined) parts.defer(() => bus.close());
  const grpc = new GrpcServer(common.grpc);
  grpc.identifyAs(instanceId);
  const peer = peerCredentials(common.grpc);
  const addresses = mediaAddresses(common);
  const plane = await ControlPlane.start<Rec, Ev>({
    service: spec.name,
    kind: spec.kind,
    instanceId,
    bus,
    zone: common.instance.zone,
    addresses,
    version: spec.version,
    capacity: announced,
    load: () => service?.load?.() ?? shareOf(announced()),
    record: spec.record,
    event: spec.event,
    lostEvent: (lost) => spec.lostEvent(lost),
    onOrphaned: (sessionIds) => service?.closeOrphans(sessionIds),
    onStateChange: () => grpc.setServing(serving()),
    probe: async ({ instanceId: suspect, addresses: { grpc: address } }) =>
      address !== undefined && (await checkHealth(address, suspect, PROBE_TIMEOUT_MS, peer)) === 'SERVING',
    loopLagMs: () => loopLag.meanMs,
    logger: log,
    limits: {
      leaseTtlMs: common.leaseTtlMs,
      orphanGraceMs: common.orphanGraceMs,
      loopLagTargetMs: common.capacity.loopLagTargetMs,
    },
  });
  parts.defer(() => plane.stop());

  const drain = new Drain({
    sessions,
    closeAll: async () => service?.closeAll(),
    onState: (state) => {
      if (state === 'serving') plane.undrain();
      else plane.drain();
      grpc.setServing(serving());
    },
    log,
  });
  const serving = (): boolean => service !== undefined && drain.state === 'serving' && plane.state === 'SERVING';

  const { router, directory, events } = plane;
  const runtime = new ServiceRuntime<ConfigOf<Own>, Rec, Ev>({
    name: spec.name,
    version: spec.version,
    instanceId,
    config,
    log,
    metrics,
    bus,
    router,
    directory,
    events,
  });
  const app = await startNest(spec.module(runtime), runtime, log);
  parts.defer(() => app.close());
  const started = spec.parts(app);

  const instances = () => plane.fleet.list({ service: spec.name });
  const fleet = fleetApi({ instanceId, instances, drain, drainGraceMs: common.drainGraceMs });
  const apis = [...started.apis, fleet];
  for (const api of apis) registerApi(router, api);
  const { rpcDuration } = registerServiceMetrics(metrics, {
    loopLag,
    capacity: announced,
    drainRemainingMs: () => drain.remainingMs(),
    bus: () => ({ system: bus.system, connected: bus.state === 'connected' }),
    instances,
  });
  registerControlMetrics(metrics, plane.counters);
  grpc.serve(apis, router, { tracer: trace.getTracer('mediaplane'), duration: rpcDuration, log });
  const grpcPort = await grpc.listen();
  parts.defer(() => grpc.stop());
  addresses['grpc'] = reachableAt(common.grpc.bindAddress, grpcPort, common.grpc.advertisedAddress);

  const admin = new AdminServer({
    metrics: () => metrics.prometheusText(),
    unhealthy: () => started.unhealthy?.(),
    unready: () => (serving() ? undefined : drain.state === 'serving' ? 'not in the fleet' : drain.state),
    status: () => ({
      service: spec.name,
      version: spec.version,
      instanceId,
      state: serving() ? 'serving' : drain.state,
      uptimeSeconds: Math.round((performance.now() - startedMs) / 1000),
      addresses,
      bus: { system: bus.system, state: bus.state },
      capacity: { ...announced(), staticLimit: capacity.staticLimit },
      loopLagMs: { mean: loopLag.meanMs, max: loopLag.maxMs },
      drain: drain.status(),
      advice,
      fleet: instances(),
      ...started.status?.(),
    }),
  });
  const adminPort = await admin.listen(common.admin.bindAddress, common.admin.port);
  parts.defer(() => admin.stop());
  addresses['admin'] = reachableAt(common.admin.bindAddress, adminPort);

  service = started;
  grpc.setServing(serving());
  plane.announce();
  const { net } = common;
  log.info(
    {
      version: spec.version,
      node: process.version,
      grpc: addresses['grpc'],
      admin: addresses['admin'],
      rtpPorts: `${net.rtpPortMin}-${net.rtpPortMax}`,
      interfaces: net.interfaces,
      bus: bus.system,
      capacity: capacity.staticLimit,
    },
    'serving',
  );

  const running = parts.move();
  let ended: Promise<void> | undefined;
  return {
    name: spec.name,
    instanceId,
    grpcAddress: addresses['grpc'],
    adminAddress: addresses['admin'],
    config: common,
    app,
    stop(reason, graceMs = common.drainGraceMs) {
      const empty = drain.stop(graceMs, reason);
      ended ??= empty.then(() => running.disposeAsync()).then(() => log.info('stopped'));
      return ended;
    },
  };
}

function readConfig<Own extends z.ZodRawShape, Rec, Ev>(spec: ServiceSpec<Own, Rec, Ev>, sources: ConfigSources) {
  const schema: ConfigSchema<Own> = z.strictObject({ ...commonConfig, ...spec.config });
  const commonPart = z.object(commonConfig);
  const config = loadConfig(
    schema,
    sources,
    (read) => checkCommonConfig(commonPart.parse(read)) ?? spec.checkConfig?.(read),
  );
  return { config, common: commonPart.parse(config) };
}

function shareOf({ limit, used }: { readonly limit: number; readonly used: number }): number {
  return limit === 0 ? 1 : Math.min(1, used / limit);
}
