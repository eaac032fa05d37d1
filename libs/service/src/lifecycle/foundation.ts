import type { Bus } from '@mediaplane/control';
import { makeInstanceId } from '@mediaplane/control';
import { resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import type { CommonConfig } from '../config/common-config.ts';
import { createLogger } from '../log/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { startTracing } from '../telemetry/tracing.ts';
import { Capacity } from './capacity.ts';
import { connectBus } from './connect-bus.ts';
import { LoopLag } from './loop-lag.ts';
import type { SessionNeeds } from './capacity.ts';
import type { StartOptions } from './service-spec.ts';
import { maxDescriptors, readProc, startChecks } from './start-checks.ts';
import type { Advice } from './start-checks.ts';
import { Tenant } from './tenant.ts';

/** What a service stands on before it joins its fleet. */
export interface Foundation {
  readonly instanceId: string;
  readonly config: CommonConfig;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly bus: Bus;
  readonly loopLag: LoopLag;
  readonly capacity: Capacity;
  readonly tenant: Tenant;
  readonly advice: readonly Advice[];
}

/** Telemetry, log, advice about the machine, capacity, bus. What is to be undone goes on `stack`. */
export async function layFoundation(
  service: { readonly name: string; readonly version: string; readonly needs: SessionNeeds },
  config: CommonConfig,
  options: StartOptions,
  stack: AsyncDisposableStack,
): Promise<Foundation> {
  const instanceId = makeInstanceId();
  const resource = resourceFromAttributes({
    'service.name': service.name,
    'service.version': service.version,
    'service.instance.id': instanceId,
  });
  const { otlpEndpoint, ...telemetry } = config.telemetry;
  const otlp = otlpEndpoint === '' ? undefined : (await import('../telemetry/otlp.ts')).otlpExporters(otlpEndpoint);
  const tracing = startTracing({
    resource,
    ...telemetry,
    exporter: otlp?.traces,
    processors: options.spanProcessors,
  });
  stack.defer(() => tracing.shutdown());
  const metrics = new Metrics({ resource, ...telemetry, exporter: otlp?.metrics });
  stack.defer(() => metrics.shutdown());

  const log = createLogger(config.log, { service: service.name, instance: instanceId }, options.logTo);
  const advice = startChecks(config, service.needs, readProc, Date.now());
  for (const { topic, message } of advice) log.warn({ topic }, message);

  const tenant: Tenant = new Tenant(() => capacity);
  const portCount = config.net.rtpPortMax - config.net.rtpPortMin + 1;
  const limits = { ...config.capacity, portCount, maxDescriptors: maxDescriptors(readProc) };
  const capacity = new Capacity(limits, service.needs, () => tenant.sessions());
  const loopLag = new LoopLag((meanMs) => capacity.onLoopLag(meanMs));
  stack.defer(() => loopLag.stop());

  const bus = options.bus ?? (await connectBus(config.bus, `${service.name} ${instanceId}`, log));
  if (options.bus === undefined) stack.defer(() => bus.close());
  return { instanceId, config, log, metrics, bus, loopLag, capacity, tenant, advice };
}
