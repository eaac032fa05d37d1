import { randomUUID } from 'node:crypto';
import type { Metadata, ServerUnaryCall, ServerWritableStream, StatusObject } from '@grpc/grpc-js';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Context, Span, TextMapGetter, Tracer } from '@opentelemetry/api';
import { ServiceError } from '@mediaplane/control';
import type { CallOptions } from '@mediaplane/control';
import type { Logger } from 'pino';
import type { Histogram } from '../telemetry/metrics.ts';
import { toStatus } from './status.ts';

/** What every call of a server shares. */
export interface CallEnvironment {
  readonly tracer: Tracer;
  readonly duration: Histogram;
  readonly log: Logger;
}

export type ServerCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

const metadataGetter: TextMapGetter<Metadata> = {
  keys: (metadata) => Object.keys(metadata.getMap()),
  get: (metadata, key) => metadata.get(key).map(String),
};

/** Caller faults and states of the system that are no fault of ours: not an error of the span (RPC semantic conventions). */
const SERVER_FAULTS = new Set([
  'UNKNOWN',
  'DEADLINE_EXCEEDED',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
]);

/** One incoming call: its span, its time limit, its cancellation, its duration, and what becomes of an error. */
export class CallScope {
  readonly options: CallOptions;
  readonly context: Context;
  private readonly span: Span;
  private readonly startedMs = performance.now();
  private readonly abort = new AbortController();
  private readonly environment: CallEnvironment;
  private readonly method: string;
  private finished = false;

  /** `method` is the full name, `mediaplane.fleet.v1.FleetService/GetInstance`. */
  constructor(environment: CallEnvironment, method: string, call: ServerCall) {
    this.environment = environment;
    this.method = method;
    const parent = propagation.extract(context.active(), call.metadata, metadataGetter);
    const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method };
    this.span = environment.tracer.startSpan(method, { kind: SpanKind.SERVER, attributes }, parent);
    this.context = trace.setSpan(parent, this.span);
    const deadline = call.getDeadline();
    const timeoutMs = Number(deadline) - Date.now();
    this.options = {
      signal: this.abort.signal,
      ...(Number.isFinite(timeoutMs) ? { timeoutMs: Math.max(0, timeoutMs) } : {}),
    };
    // grpc-js says so of calls that have been answered, too; aborting those would cost more than the call.
    call.on('cancelled', () => this.finished || this.abort.abort());
  }

  get signal(): AbortSignal {
    return this.abort.signal;
  }

  succeed(): void {
    this.finish('OK');
  }

  /**
   * Ends the call with the status to send. A ServiceError goes out as it is; anything else is a bug of ours: it is logged
   * under a reference that the caller gets instead of its message and stack.
   */
  fail(thrown: unknown): StatusObject {
    let error = ServiceError.from(thrown);
    if (error.reason === 'INTERNAL' && error.code === 'INTERNAL') {
      const reference = randomUUID();
      const fields = { err: error.cause ?? error, method: this.method, reference };
      context.with(this.context, () => this.environment.log.error(fields, 'call failed unexpectedly'));
      error = new ServiceError('INTERNAL', 'INTERNAL', `internal error, reference ${reference}`, {
        metadata: { reference },
      });
    }
    if (SERVER_FAULTS.has(error.code)) this.span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    this.span.setAttribute('error.type', error.reason);
    this.finish(error.code);
    return toStatus(error);
  }

  private finish(code: string): void {
    this.finished = true;
    this.span.setAttribute('rpc.response.status_code', code);
    this.span.end();
    const seconds = (performance.now() - this.startedMs) / 1000;
    this.environment.duration.record(seconds, { 'rpc.method': this.method, 'rpc.response.status_code': code });
  }
}
