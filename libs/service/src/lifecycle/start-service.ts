import type { INestApplicationContext } from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { z } from 'zod';
import { AdminServer } from '../admin/admin-server.ts';
import { checkCommonConfig, commonConfig } from '../config/common-config.ts';
import type { CommonConfig } from '../config/common-config.ts';
import { loadConfig } from '../config/load-config.ts';
import type { ConfigSources } from '../config/load-config.ts';
import { registerApi } from '../grpc/api.ts';
import { GrpcServer } from '../grpc/grpc-server.ts';
import { registerControlMetrics } from '../telemetry/control-metrics.ts';
import { registerServiceMetrics } from '../telemetry/service-metrics.ts';
import { reachableAt } from './addresses.ts';
import { adminPages } from './admin-pages.ts';
import type { SessionNeeds } from './capacity.ts';
import { fleetApi } from './fleet-api.ts';
import { layFoundation } from './foundation.ts';
import type { Foundation } from './foundation.ts';
import { joinFleet } from './membership.ts';
import type { Membership } from './membership.ts';
import { startNest } from './nest-context.ts';
import { ServiceRuntime } from './service-spec.ts';
import type { ConfigOf, ConfigSchema, ServiceParts, ServiceSpec, StartOptions } from './service-spec.ts';

/** A service that serves. */
export interface RunningService {
  readonly name: string;
  readonly instanceId: string;
  /** `address:port` to reach it by. */
  readonly grpcAddress: string;
  readonly adminAddress: string;
  readonly config: CommonConfig;
  readonly app: INestApplicationContext;
  /**
   * Takes no new sessions, waits for those there are (default: `drainGraceMs`), closes the rest, and ends everything. A further
   * call with a shorter grace hastens it.
   */
  stop(reason: string, graceMs?: number): Promise<void>;
}

/**
 * Starts one service: foundation, fleet, module, servers, and only then does it take sessions. Several may run in one process.
 * Rejects with ConfigError for a bad configuration; then, as for any failure, nothing is left behind.
 */
export async function startService<Own extends z.ZodRawShape, Rec, Ev>(
  spec: ServiceSpec<Own, Rec, Ev>,
  options: StartOptions = {},
): Promise<RunningService> {
  const { config, common } = readConfig(spec, options.sources ?? {});
  await using stack = new AsyncDisposableStack();
  const foundation = await layFoundation(spec, common, options, stack);
  const { instanceId, log, metrics, bus, tenant } = foundation;

  const grpc = new GrpcServer(common.grpc);
  const member = await joinFleet(spec, foundation, (serving) => grpc.setServing(serving));
  const { plane, drain, addresses } = member;
  stack.defer(() => plane.stop());

  const { name, version } = spec;
  const { router, directory, events, fleet } = plane;
  const announce = (purpose: string, address: string): void => {
    if (address === '') delete addresses[purpose];
    else addresses[purpose] = address;
    plane.announce();
  };
  const shared = { name, version, instanceId, config, log, metrics, bus, router, directory, events, fleet, announce };
  const runtime = new ServiceRuntime<ConfigOf<Own>, Rec, Ev>(shared);
  const app = await startNest(spec.module(runtime), runtime, log);
  stack.defer(() => app.close());
  const parts = spec.parts(app);

  await openServers(spec, foundation, member, parts, grpc, stack);
  tenant.moveIn(parts);
  grpc.setServing(member.serving());
  plane.announce();
  log.info({ version, node: process.version, ...whatIsOpen(foundation, member, spec.needs) }, 'serving');

  const running = stack.move();
  let ended: Promise<void> | undefined;
  return {
    name,
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
  const check = (read: ConfigOf<Own>) => checkCommonConfig(commonPart.parse(read)) ?? spec.checkConfig?.(read);
  const config = loadConfig(schema, sources, check);
  return { config, common: commonPart.parse(config) };
}

/** Registers the APIs with the router and the metrics, and listens; the addresses are announced from then on. */
async function openServers<Rec, Ev>(
  service: { readonly name: string; readonly version: string },
  foundation: Foundation,
  member: Membership<Rec, Ev>,
  parts: ServiceParts,
  grpc: GrpcServer,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { instanceId, metrics, bus, loopLag, log, tenant } = foundation;
  const { grpc: grpcConfig, admin: adminConfig, drainGraceMs } = foundation.config;
  const { plane, drain, addresses } = member;
  const instances = () => plane.fleet.list({ service: service.name });
  const self = () => plane.fleet.get(instanceId);
  const apis = [...parts.apis, fleetApi({ instanceId, instances, self, drain, drainGraceMs })];
  for (const api of apis) registerApi(plane.router, api);

  const { rpcDuration } = registerServiceMetrics(metrics, {
    loopLag,
    capacity: () => tenant.capacity(),
    drainRemainingMs: () => drain.remainingMs(),
    bus: () => ({ system: bus.system, connected: bus.state === 'connected' }),
    instances,
  });
  registerControlMetrics(metrics, plane.counters);
  grpc.identifyAs(instanceId);
  grpc.serve(apis, plane.router, { tracer: trace.getTracer('mediaplane'), duration: rpcDuration, log });
  const grpcPort = await grpc.listen();
  stack.defer(() => grpc.stop());
  addresses['grpc'] = reachableAt(grpcConfig.bindAddress, grpcPort, grpcConfig.advertisedAddress);

  const admin = new AdminServer(adminPages(service, foundation, member, parts));
  const adminPort = await admin.listen(adminConfig.bindAddress, adminConfig.port);
  stack.defer(() => admin.stop());
  addresses['admin'] = reachableAt(adminConfig.bindAddress, adminPort);
}

function whatIsOpen<Rec, Ev>(
  { config, bus, capacity }: Foundation,
  { addresses }: Membership<Rec, Ev>,
  needs: SessionNeeds,
): object {
  const { rtpPortMin, rtpPortMax, interfaces } = config.net;
  return {
    grpc: addresses['grpc'],
    admin: addresses['admin'],
    ...(needs.ports > 0 ? { rtpPorts: `${rtpPortMin}-${rtpPortMax}` } : {}),
    interfaces: interfaces.map(({ name, bindAddress }) => `${name}=${bindAddress}`),
    bus: bus.system,
    capacity: capacity.staticLimit,
  };
}
