import type { Instance } from '@mediaplane/control';
import type { LoopLag } from '../lifecycle/loop-lag.ts';
import { defineMetrics } from './metric-definition.ts';
import type { Histogram, Metrics, Observation } from './metrics.ts';

/** What every service reports; an app adds its own. */
export const SERVICE_METRICS = defineMetrics({
  rpcServerCallDuration: {
    name: 'rpc.server.call.duration',
    unit: 's',
    description: 'Duration of gRPC calls, streams from open to end.',
    kind: 'histogram',
    attributes: ['rpc.method', 'rpc.response.status_code'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  eventLoopDelayMean: {
    name: 'nodejs.eventloop.delay.mean',
    unit: 's',
    description: 'Mean lag of the control thread over the last second.',
    kind: 'gauge',
    attributes: [],
  },
  eventLoopDelayMax: {
    name: 'nodejs.eventloop.delay.max',
    unit: 's',
    description: 'Highest lag of the control thread over the last second.',
    kind: 'gauge',
    attributes: [],
  },
  processMemoryUsage: {
    name: 'process.memory.usage',
    unit: 'By',
    description: 'Resident memory of the process.',
    kind: 'sum',
    attributes: [],
  },
  heapUsed: {
    name: 'v8js.memory.heap.used',
    unit: 'By',
    description: 'Heap in use by the control thread.',
    kind: 'sum',
    attributes: [],
  },
  processCpuTime: {
    name: 'process.cpu.time',
    unit: 's',
    description: 'CPU time of the process, media threads included.',
    kind: 'counter',
    attributes: ['cpu.mode'],
  },
  capacityUsed: {
    name: 'media.capacity.used',
    unit: '{session}',
    description: 'Sessions that the instance holds.',
    kind: 'sum',
    attributes: [],
  },
  capacityLimit: {
    name: 'media.capacity.limit',
    unit: '{session}',
    description: 'Sessions that the instance would hold at most now.',
    kind: 'sum',
    attributes: [],
  },
  draining: {
    name: 'media.drain.active',
    unit: '{instance}',
    description: '1 while the instance drains or stops, else 0.',
    kind: 'sum',
    attributes: [],
  },
  drainRemaining: {
    name: 'media.drain.remaining',
    unit: 's',
    description: 'Time until a draining instance closes what is left; 0 when it does not drain.',
    kind: 'gauge',
    attributes: [],
  },
  busConnected: {
    name: 'media.bus.connected',
    unit: '{instance}',
    description: '1 while the bus is reachable, else 0.',
    kind: 'sum',
    attributes: ['messaging.system'],
  },
  fleetInstances: {
    name: 'media.fleet.instances',
    unit: '{instance}',
    description: 'Instances of the service that this one has heard of lately, itself included.',
    kind: 'gauge',
    attributes: ['media.instance.state'],
  },
});

export interface ServiceMetricSources {
  readonly loopLag: LoopLag;
  capacity(): { readonly limit: number; readonly used: number };
  /** Milliseconds; undefined when not draining. */
  drainRemainingMs(): number | undefined;
  bus(): { readonly system: string; readonly connected: boolean };
  instances(): readonly Instance[];
}

/** Registers what every service reports, and returns the one metric that is recorded rather than observed. */
export function registerServiceMetrics(
  metrics: Metrics,
  sources: ServiceMetricSources,
): { readonly rpcDuration: Histogram } {
  const m = SERVICE_METRICS;
  metrics.observe(m.eventLoopDelayMean, () => sources.loopLag.meanMs / 1000);
  metrics.observe(m.eventLoopDelayMax, () => sources.loopLag.maxMs / 1000);
  metrics.observe(m.processMemoryUsage, () => process.memoryUsage.rss());
  metrics.observe(m.heapUsed, () => process.memoryUsage().heapUsed);
  metrics.observe(m.processCpuTime, () => {
    const { user, system } = process.cpuUsage();
    return [
      [user / 1e6, { 'cpu.mode': 'user' }],
      [system / 1e6, { 'cpu.mode': 'system' }],
    ];
  });
  metrics.observe(m.capacityUsed, () => sources.capacity().used);
  metrics.observe(m.capacityLimit, () => sources.capacity().limit);
  metrics.observe(m.draining, () => (sources.drainRemainingMs() === undefined ? 0 : 1));
  metrics.observe(m.drainRemaining, () => (sources.drainRemainingMs() ?? 0) / 1000);
  metrics.observe(m.busConnected, () => {
    const { system, connected } = sources.bus();
    return [[connected ? 1 : 0, { 'messaging.system': system }]];
  });
  metrics.observe(m.fleetInstances, function* (): Generator<Observation> {
    for (const state of ['SERVING', 'DRAINING'] as const) {
      const count = sources.instances().filter((instance) => instance.state === state).length;
      yield [count, { 'media.instance.state': state.toLowerCase() }];
    }
  });
  return { rpcDuration: metrics.histogram(m.rpcServerCallDuration) };
}
