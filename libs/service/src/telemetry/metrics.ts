import type { Attributes, Meter, ObservableResult } from '@opentelemetry/api';
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { MetricDefinition } from './metric-definition.ts';
import { prometheusName } from './metric-definition.ts';

export interface Histogram {
  record(value: number, attributes?: Attributes): void;
}

export interface Counter {
  add(value: number, attributes?: Attributes): void;
}

/** One point of a metric with attributes. */
export type Observation = readonly [value: number, attributes: Attributes];

export interface MetricsOptions {
  readonly resource: Resource;
  /** Absent: Prometheus text only. */
  readonly exporter?: PushMetricExporter | undefined;
  readonly metricsIntervalMs: number;
}

/** The metrics of one service: several services of a process each have their own. */
export class Metrics {
  private readonly reader = new ScrapeReader();
  private readonly provider: MeterProvider;
  private readonly meter: Meter;
  private readonly serializer = new PrometheusSerializer('', false, undefined, false, true);
  private readonly byName = new Map<string, MetricDefinition>();

  constructor(options: MetricsOptions) {
    const readers: MetricReader[] = [this.reader];
    const { exporter } = options;
    if (exporter !== undefined) {
      readers.push(new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: options.metricsIntervalMs }));
    }
    this.provider = new MeterProvider({ resource: options.resource, readers });
    this.meter = this.provider.getMeter('mediaplane');
  }

  /** What has been registered, for dashboards and their test. */
  definitions(): MetricDefinition[] {
    return [...this.byName.values()];
  }

  /**
   * Publishes numbers that somebody counts anyway: `read` is called when metrics are collected, and nothing happens in between.
   * A counter's value is its total so far.
   */
  observe(definition: MetricDefinition, read: () => number | Iterable<Observation>): void {
    const options = this.register(definition);
    const instrument =
      definition.kind === 'counter'
        ? this.meter.createObservableCounter(definition.name, options)
        : definition.kind === 'sum'
          ? this.meter.createObservableUpDownCounter(definition.name, options)
          : this.meter.createObservableGauge(definition.name, options);
    instrument.addCallback((result: ObservableResult) => {
      const value = read();
      if (typeof value === 'number') result.observe(value);
      else for (const [point, attributes] of value) result.observe(point, attributes);
    });
  }

  /** For what happens on the control thread; media threads count in shared memory and `observe` publishes. */
  counter(definition: MetricDefinition): Counter {
    return this.meter.createCounter(definition.name, this.register(definition));
  }

  histogram(definition: MetricDefinition): Histogram {
    const advice = { explicitBucketBoundaries: [...(definition.buckets ?? [])] };
    return this.meter.createHistogram(definition.name, { ...this.register(definition), advice });
  }

  /** Prometheus text exposition of everything, now. */
  async prometheusText(): Promise<string> {
    const { resourceMetrics } = await this.reader.collect();
    const scopeMetrics = resourceMetrics.scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.map((metric) => {
        const definition = this.byName.get(metric.descriptor.name);
        if (definition === undefined) return metric;
        // The `# UNIT` line is OpenMetrics, not Prometheus text; the unit is in the name.
        return { ...metric, descriptor: { ...metric.descriptor, name: prometheusName(definition), unit: '' } };
      }),
    }));
    return this.serializer.serialize({ ...resourceMetrics, scopeMetrics });
  }

  async shutdown(): Promise<void> {
    await this.provider.shutdown();
  }

  private register(definition: MetricDefinition): { unit: string; description: string } {
    if (this.byName.has(definition.name)) throw new Error(`metric ${definition.name} is registered twice`);
    this.byName.set(definition.name, definition);
    return { unit: definition.unit, description: definition.description };
  }
}

/** Collects when asked, and only then. */
class ScrapeReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}
