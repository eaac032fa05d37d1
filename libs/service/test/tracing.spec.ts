import { context, SpanKind, trace } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import { createClient } from '../src/grpc/client.ts';
import { startTracing } from '../src/telemetry/tracing.ts';
import type { Tracing } from '../src/telemetry/tracing.ts';
import { Toy, ToyDefinition } from './toy-service.ts';

const exporter = new InMemorySpanExporter();
const resource = resourceFromAttributes({ 'service.name': 'toy' });
const options = {
  resource,
  traceSamplePercent: 100,
  processors: [new SimpleSpanProcessor({ exporter })],
};
let tracing: Tracing;
beforeAll(() => {
  tracing = startTracing(options);
});
afterAll(() => tracing.shutdown());
beforeEach(() => exporter.reset());

test('a call continues its caller’s trace, and what the handler does is part of it', async () => {
  await using toy = await new Toy({
    getInstance: () => {
      trace.getTracer('media').startSpan('media command').end();
      return { instance: undefined };
    },
  }).listen();
  using client = createClient(ToyDefinition, toy.address);
  const caller = trace.getTracer('caller').startSpan('caller', { kind: SpanKind.CLIENT });
  await context.with(trace.setSpan(context.active(), caller), () => client.getInstance({}));
  caller.end();

  const spans = exporter.getFinishedSpans();
  const [inner, server] = spans;
  expect(spans.map((span) => span.name)).toEqual([
    'media command',
    'mediaplane.fleet.v1.FleetService/GetInstance',
    'caller',
  ]);
  expect(server).toMatchObject({
    kind: SpanKind.SERVER,
    attributes: { 'rpc.system.name': 'grpc', 'rpc.response.status_code': 'OK' },
  });
  expect(server.parentSpanContext?.spanId).toBe(caller.spanContext().spanId);
  expect(inner.parentSpanContext?.spanId).toBe(server.spanContext().spanId);
  expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(1);
});

test('streams have a span from open to end; a caller’s fault is no error of ours', async () => {
  await using toy = await new Toy({
    readRecording: async function* () {
      throw new ServiceError('NOT_FOUND', 'RECORDING_NOT_FOUND', 'no such recording');
    },
  }).listen();
  using client = createClient(ToyDefinition, toy.address);
  await expect(client.readRecording({})[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const [span] = exporter.getFinishedSpans();
  expect(span.attributes).toMatchObject({
    'rpc.response.status_code': 'NOT_FOUND',
    'error.type': 'RECORDING_NOT_FOUND',
  });
  expect(span.status.code).toBe(0);
});

test('services of one process share tracing, which ends with the last', async () => {
  const second = startTracing(options);
  await second.shutdown();
  await second.shutdown();
  trace.getTracer('still').startSpan('here').end();
  expect(exporter.getFinishedSpans().map((span) => span.name)).toEqual(['here']);
});
