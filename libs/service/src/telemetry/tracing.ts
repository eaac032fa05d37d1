import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';

export interface TracingOptions {
  readonly resource: Resource;
  /** Absent: spans are not sent, but a caller's trace context still passes through to the bus. */
  readonly exporter?: SpanExporter | undefined;
  readonly traceSamplePercent: number;
  /** Where spans go besides, for tests. */
  readonly processors?: readonly SpanProcessor[] | undefined;
}

export interface Tracing {
  /** Sends what is buffered and ends tracing. */
  shutdown(): Promise<void>;
}

let running: { readonly provider: TracerProvider | undefined; users: number } | undefined;

/**
 * Tracing is the one thing that is global to a process, because OpenTelemetry's API is: services of one process share it, the
 * first one's options hold, and it ends with the last.
 */
export function startTracing(options: TracingOptions): Tracing {
  running ??= { provider: install(options), users: 0 };
  const mine = running;
  mine.users += 1;
  let ended = false;
  return {
    async shutdown() {
      if (ended) return;
      ended = true;
      mine.users -= 1;
      if (mine.users > 0) return;
      running = undefined;
      await mine.provider?.shutdown();
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

function install(options: TracingOptions): TracerProvider | undefined {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const spanProcessors = [...(options.processors ?? [])];
  const { exporter } = options;
  if (exporter !== undefined) spanProcessors.push(new BatchSpanProcessor({ exporter }));
  if (spanProcessors.length === 0) return undefined;
  const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(options.traceSamplePercent / 100) });
  const provider = new TracerProvider({ resource: options.resource, sampler, spanProcessors });
  trace.setGlobalTracerProvider(provider);
  return provider;
}
