import { randomUUID } from 'node:crypto';
import { SpanKind, SpanStatusCode, context, propagation, trace } from '@opentelemetry/api';
import type { Span } from '@opentelemetry/api';
import type { Clock } from '../clock.ts';
import { cancelled, deadlineExceeded, withDeadline } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import type { Bus, BusHeaders, BusMessage, BusRequest, RequestHandler, RequestOptions } from './bus.ts';
import { errorFromHeaders, errorToHeaders } from './error-headers.ts';

/**
 * What request and reply look like on any bus: the time left, the request id and the W3C trace context travel in headers, errors
 * come back in headers. A bus supplies only the sending.
 */
export interface Reply {
  readonly payload: Uint8Array;
  readonly headers: BusHeaders;
}

const TIME_LEFT = 'Mp-Time-Left-Ms';
const REQUEST_ID = 'Mp-Request-Id';
/** For a request without a header, as a person's `nats request` would be. */
const DEFAULT_TIME_LEFT_MS = 5_000;
const NOTHING = new Uint8Array(0);

const tracer = trace.getTracer('@mediaplane/control');

export async function sendRequest(
  system: Bus['system'],
  subject: string,
  options: RequestOptions,
  send: (headers: BusHeaders) => Promise<Reply>,
): Promise<Uint8Array> {
  if (options.signal?.aborted === true) throw cancelled(subject);
  if (options.timeoutMs <= 0) throw deadlineExceeded(subject);
  const span = startSpan(system, 'send', SpanKind.CLIENT, options.template ?? subject);
  const headers: Record<string, string> = {
    ...options.headers,
    [TIME_LEFT]: String(Math.ceil(options.timeoutMs)),
    [REQUEST_ID]: options.requestId ?? randomUUID(),
  };
  propagation.inject(trace.setSpan(context.active(), span), headers);
  try {
    const reply = await orAborted(send(headers), subject, options.signal);
    const error = errorFromHeaders(reply.headers);
    if (error !== undefined) throw error;
    return reply.payload;
  } catch (thrown) {
    throw recordError(span, ServiceError.from(thrown));
  } finally {
    span.end();
  }
}

/** Runs a handler for a message until its time is up; `undefined` when it was before it could start. */
export async function runHandler(
  system: Bus['system'],
  clock: Clock,
  message: BusMessage,
  template: string | undefined,
  handler: RequestHandler,
): Promise<Reply | undefined> {
  const header = Number(message.headers[TIME_LEFT] ?? DEFAULT_TIME_LEFT_MS);
  const timeLeftMs = Number.isFinite(header) ? header : DEFAULT_TIME_LEFT_MS;
  if (timeLeftMs <= 0) return undefined;
  const requestId = message.headers[REQUEST_ID] ?? randomUUID();
  const deadlineMs = clock.nowMs() + timeLeftMs;
  const parent = propagation.extract(context.active(), message.headers);
  const span = startSpan(system, 'process', SpanKind.SERVER, template ?? message.subject, parent);
  try {
    const payload = await withDeadline(clock, { requestId, deadlineMs, what: message.subject }, (scope) => {
      const request: BusRequest = {
        ...message,
        requestId,
        deadlineMs,
        get signal() {
          return scope.signal;
        },
      };
      return context.with(trace.setSpan(parent, span), () => handler(request));
    });
    return { payload, headers: {} };
  } catch (thrown) {
    return { payload: NOTHING, headers: errorToHeaders(recordError(span, ServiceError.from(thrown))) };
  } finally {
    span.end();
  }
}

export function noResponders(subject: string): ServiceError {
  return ServiceError.unavailable('NO_RESPONDERS', `nobody listens on ${subject}`);
}

export function busAway(): ServiceError {
  return ServiceError.unavailable('BUS_AWAY', 'the message bus cannot be reached', { retryAfterMs: 1_000 });
}

async function orAborted<T>(result: Promise<T>, subject: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(cancelled(subject));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([result, aborted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/** The destination is the subject's template: raw subjects hold ids, and every id would be a name of its own. */
function startSpan(
  system: Bus['system'],
  operation: string,
  kind: SpanKind,
  template: string,
  parent = context.active(),
): Span {
  const attributes = {
    'messaging.system': system,
    'messaging.operation.name': operation,
    'messaging.destination.template': template,
  };
  return tracer.startSpan(`${operation} ${template}`, { kind, attributes }, parent);
}

/** By its reason: its words may be another program's, and hold what is nobody else's business, a publish key for instance. */
function recordError(span: Span, error: ServiceError): ServiceError {
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.reason });
  span.setAttribute('error.type', error.code);
  return error;
}
