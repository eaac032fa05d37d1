import { expect, test } from '@jest/globals';
import { CONTROL_METRICS } from './control-metrics.ts';
import { prometheusName } from './metric-definition.ts';
import type { MetricDefinition } from './metric-definition.ts';
import { SERVICE_METRICS } from './service-metrics.ts';
import { THREAD_METRICS } from './thread-metrics.ts';

const all: MetricDefinition[] = [SERVICE_METRICS, CONTROL_METRICS, THREAD_METRICS].flatMap((each) =>
  Object.values(each),
);

test('metrics are named by the conventions: dots, no unit, no total; units in UCUM; no id as an attribute', () => {
  for (const { name, unit, description, attributes } of all) {
    expect(name).toMatch(/^[a-z0-9]+(\.[a-z0-9_]+)+$/);
    expect(name).not.toMatch(/total|seconds|bytes|_(ms|us|s)$/);
    expect(unit).toMatch(/^(s|By|1|\{[a-z]+\})$/);
    expect(description).toMatch(/\.$/);
    for (const attribute of attributes) expect(attribute).not.toMatch(/(^|[._])id$/);
  }
});

test('no two metrics share a name, in OpenTelemetry or in Prometheus', () => {
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  expect(new Set(all.map(prometheusName)).size).toBe(all.length);
});
