import { context, SpanKind, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace';
import { expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { FleetServiceDefinition } from '@mediaplane/proto';
import { createClient, startService } from '../src/index.ts';
import { toySpec } from './toy-app.ts';

test('a call that one instance forwards to another is one trace, over gRPC and the bus', async () => {
  const exporter = new InMemorySpanExporter();
  const bus = new EmbeddedBus();
  const values = {
    grpc: { port: 0 },
    admin: { port: 0 },
    log: { level: 'silent' },
    telemetry: { traceSamplePercent: 100 },
  };
  const options = { bus, sources: { values }, spanProcessors: [new SimpleSpanProcessor({ exporter })] };
  await using stack = new AsyncDisposableStack();
  const a = await startService(toySpec, options);
  stack.defer(() => a.stop('end of test', 0));
  const b = await startService(toySpec, options);
  stack.defer(() => b.stop('end of test', 0));
  using fleet = createClient(FleetServiceDefinition, a.grpcAddress);
  exporter.reset();

  const caller = trace.getTracer('caller').startSpan('caller');
  const { traceId } = caller.spanContext();
  await context.with(trace.setSpan(context.active(), caller), () => fleet.getInstance({ instanceId: b.instanceId }));
  caller.end();

  const spans = exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
  const path: string[] = [];
  const deepest = spans.find(
    (span) => !spans.some((other) => other.parentSpanContext?.spanId === span.spanContext().spanId),
  );
  for (let span = deepest; span !== undefined; span = byId.get(span.parentSpanContext?.spanId ?? '')) {
    path.unshift(`${SpanKind[span.kind]} ${span.name}`);
  }
  expect(path.slice(0, 2)).toEqual(['INTERNAL caller', 'SERVER mediaplane.fleet.v1.FleetService/GetInstance']);
  expect(path.slice(2).map((step) => step.split(' ')[0])).toEqual(['CLIENT', 'SERVER']);
});
