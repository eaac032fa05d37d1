/**
 * A metric, defined once as data: the instrument is made from it, and so are dashboards, alerts and their tests. Names follow the
 * OpenTelemetry conventions: dots, no unit, no `_total`. Never an id as an attribute.
 */
export interface MetricDefinition {
  readonly name: string;
  /** UCUM: `s`, `By`, `1`, or an annotation such as `{packet}`. */
  readonly unit: string;
  readonly description: string;
  /** counter: only grows. sum: goes up and down and adds up over instances. gauge: does not add up. */
  readonly kind: 'counter' | 'sum' | 'gauge' | 'histogram';
  /** Keys of its attributes; values must be few. */
  readonly attributes: readonly string[];
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets?: readonly number[];
}

/** Keeps the literal types while checking the shape. */
export function defineMetrics<const T extends Readonly<Record<string, MetricDefinition>>>(definitions: T): T {
  return definitions;
}

const UNIT_SUFFIXES: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '%': 'percent' };

/**
 * The family's name in Prometheus, as an OpenTelemetry Collector would write it: `media.rtp.jitter` in `s` is
 * `media_rtp_jitter_seconds`, a counter ends in `_total`, a gauge of unit `1` in `_ratio`, an annotation adds nothing.
 * A histogram's series add `_bucket`, `_sum` and `_count`.
 */
export function prometheusName({ name, unit, kind }: MetricDefinition): string {
  const suffix = UNIT_SUFFIXES[unit] ?? (unit === '1' && kind === 'gauge' ? 'ratio' : '');
  const base = name.replace(/[^a-zA-Z0-9]+/g, '_');
  const withUnit = suffix === '' || base.split('_').includes(suffix) ? base : `${base}_${suffix}`;
  return kind === 'counter' ? `${withUnit}_total` : withUnit;
}
