import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { defineMetrics, prometheusName } from './metric-definition.ts';
import { Metrics } from './metrics.ts';
import { otlpExporters } from './otlp.ts';

const M = defineMetrics({
  packets: {
    name: 'media.rtp.packets',
    unit: '{packet}',
    description: 'Packets.',
    kind: 'counter',
    attributes: ['direction'],
  },
  bytes: { name: 'media.rtp.bytes', unit: 'By', description: 'Bytes.', kind: 'counter', attributes: [] },
  jitter: { name: 'media.rtp.jitter', unit: 's', description: 'Jitter.', kind: 'gauge', attributes: [] },
  fill: { name: 'media.buffer.fill', unit: '1', description: 'Fill.', kind: 'gauge', attributes: [] },
  active: { name: 'media.session.active', unit: '{session}', description: 'Sessions.', kind: 'sum', attributes: [] },
  length: {
    name: 'media.session.duration',
    unit: 's',
    description: 'Length.',
    kind: 'histogram',
    attributes: [],
    buckets: [1, 10],
  },
});

const metrics = (otlpEndpoint?: string): Metrics =>
  new Metrics({
    resource: resourceFromAttributes({ 'service.name': 'toy' }),
    exporter: otlpEndpoint === undefined ? undefined : otlpExporters(otlpEndpoint).metrics,
    metricsIntervalMs: 60_000,
  });

describe('Prometheus text', () => {
  test('is named as a Collector would name it, units in the name', async () => {
    const toy = metrics();
    let packets = 3;
    toy.observe(M.packets, () => [
      [packets, { direction: 'in' }],
      [1, { direction: 'out' }],
    ]);
    toy.observe(M.bytes, () => 480);
    toy.observe(M.jitter, () => 0.0025);
    toy.observe(M.fill, () => 0.5);
    toy.observe(M.active, () => 7);
    const length = toy.histogram(M.length);
    length.record(0.5);
    length.record(5);

    const lines = (await toy.prometheusText()).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE media_rtp_packets_total counter',
        'media_rtp_packets_total{direction="in"} 3',
        'media_rtp_packets_total{direction="out"} 1',
        'media_rtp_bytes_total 480',
        'media_rtp_jitter_seconds 0.0025',
        'media_buffer_fill_ratio 0.5',
        'media_session_active 7',
        'media_session_duration_seconds_count 2',
        'media_session_duration_seconds_bucket{le="1"} 1',
      ]),
    );
    packets = 9;
    expect(await toy.prometheusText()).toContain('media_rtp_packets_total{direction="in"} 9');
    await toy.shutdown();
  });

  test('every family in the text is what prometheusName says of a definition', async () => {
    const toy = metrics();
    for (const definition of Object.values(M)) {
      if (definition.kind === 'histogram') toy.histogram(definition).record(1);
      else toy.observe(definition, () => 1);
    }
    const families = [...(await toy.prometheusText()).matchAll(/^# TYPE (\S+)/gm)].map((match) => match[1]);
    expect(families.filter((family) => family !== 'target_info').sort()).toEqual(
      toy.definitions().map(prometheusName).sort(),
    );
    await toy.shutdown();
  });

  test('one definition is registered once', async () => {
    const toy = metrics();
    toy.observe(M.bytes, () => 1);
    expect(() => toy.counter(M.bytes)).toThrow('media.rtp.bytes');
    await toy.shutdown();
  });
});

test('metrics go to an OTLP endpoint when there is one', async () => {
  const received = Promise.withResolvers<string>();
  const collector = createServer((request, response) => {
    received.resolve(`${request.method} ${request.url} ${request.headers['content-type']}`);
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  const toy = metrics(`http://127.0.0.1:${port}`);
  toy.observe(M.active, () => 1);
  await toy.shutdown();
  expect(await received.promise).toBe('POST /v1/metrics application/x-protobuf');
  collector.close();
});
