import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { ServiceError } from '../errors.ts';
import { EmbeddedBus } from './embedded-bus.ts';

describe('one trace over the bus', () => {
  const exporter = new InMemorySpanExporter();

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  });
  afterAll(() => {
    context.disable();
    propagation.disable();
    trace.disable();
  });

  test('caller, send, process and what the handler does; destinations are templates', async () => {
    const bus = new EmbeddedBus();
    const template = 'mp.v1.phone.i.{instance}.Get';
    const tracer = trace.getTracer('test');
    const work = async (): Promise<Uint8Array> => {
      tracer.startSpan('work').end();
      throw new Error('no');
    };
    bus.respond('mp.v1.phone.i.abc.Get', work, { template });
    await tracer.startActiveSpan('caller', async (span) => {
      const call = bus.request('mp.v1.phone.i.abc.Get', new Uint8Array(0), { timeoutMs: 1_000, template });
      await expect(call).rejects.toMatchObject({ code: 'INTERNAL' });
      span.end();
    });
    const spans = new Map(exporter.getFinishedSpans().map((span) => [span.name, span]));
    const chain = ['caller', `send ${template}`, `process ${template}`, 'work'].map((name) => spans.get(name));
    for (const [index, span] of chain.entries()) {
      expect(span?.spanContext().traceId).toBe(chain[0]?.spanContext().traceId);
      if (index > 0) expect(span?.parentSpanContext?.spanId).toBe(chain[index - 1]?.spanContext().spanId);
    }
    expect(chain[1]?.attributes).toEqual({
      'messaging.system': 'in_process',
      'messaging.operation.name': 'send',
      'messaging.destination.template': template,
      'error.type': 'INTERNAL',
    });
  });

  test('of an error its reason is told, not its words, which may be in confidence', async () => {
    const bus = new EmbeddedBus();
    exporter.reset();
    bus.respond('ask', async () => {
      throw new ServiceError('PERMISSION_DENIED', 'UNKNOWN_KEY', 'nobody has the key sesame');
    });
    const call = bus.request('ask', new Uint8Array(0), { timeoutMs: 1_000 });
    await expect(call).rejects.toMatchObject({ message: 'nobody has the key sesame' });
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ status }) => status.message)).toEqual(['UNKNOWN_KEY', 'UNKNOWN_KEY']);
    expect(JSON.stringify(spans.map(({ status, attributes, events }) => [status, attributes, events]))).not.toContain(
      'sesame',
    );
  });
});
