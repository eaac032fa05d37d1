import { once } from 'node:events';
import type { sendUnaryData, Server, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import type { Method, Router, StreamMethod } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { context } from '@opentelemetry/api';
import type { ServedApi } from './api.ts';
import { CallScope } from './call-scope.ts';
import type { CallEnvironment } from './call-scope.ts';

/** Serves an API on a gRPC server. Every call goes through the router, which finds the instance that can answer it. */
export function bindApi(server: Server, api: ServedApi, router: Router, environment: CallEnvironment): void {
  for (const entry of api.bound) {
    const name = `${api.definition.fullName}/${entry.name}`;
    const { requestCodec, responseCodec } = entry.method;
    const serialize = (message: unknown): Buffer => {
      const bytes = responseCodec.encode(message).finish();
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    };
    const deserialize = (bytes: Buffer): unknown => {
      try {
        return requestCodec.decode(bytes);
      } catch (cause) {
        // Thrown here, it would reach the caller as INTERNAL.
        return new Malformed(cause);
      }
    };
    const handler = entry.streaming
      ? streamHandler(name, entry.method, router, environment)
      : unaryHandler(name, entry.method, router, environment);
    server.register(`/${name}`, handler, serialize, deserialize, entry.streaming ? 'serverStream' : 'unary');
  }
}

function unaryHandler(name: string, method: Method<unknown, unknown>, router: Router, environment: CallEnvironment) {
  return (call: ServerUnaryCall<unknown, unknown>, done: sendUnaryData<unknown>): void => {
    const scope = new CallScope(environment, name, call);
    const answer = context.with(scope.context, async () =>
      router.call(method, wellFormed(call.request), scope.options),
    );
    answer.then(
      (response) => {
        scope.succeed();
        done(null, response);
      },
      (error: unknown) => done(scope.fail(error)),
    );
  };
}

function streamHandler(
  name: string,
  method: StreamMethod<unknown, unknown>,
  router: Router,
  environment: CallEnvironment,
) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    const scope = new CallScope(environment, name, call);
    const run = async (): Promise<void> => {
      for await (const response of router.stream(method, wellFormed(call.request), scope.options)) {
        if (scope.signal.aborted) break;
        // Pulls the next response only when this one has left: a slow caller slows its source, and fills no memory here.
        if (!call.write(response)) await once(call, 'drain', { signal: scope.signal });
      }
    };
    context.with(scope.context, run).then(
      () => {
        if (scope.signal.aborted) return void scope.fail(cancelled());
        scope.succeed();
        call.end();
      },
      (error: unknown) => {
        if (scope.signal.aborted) return void scope.fail(cancelled());
        const status = scope.fail(error);
        call.emit('error', Object.assign(new Error(status.details), status));
      },
    );
  };
}

/** A request whose bytes are not the message they should be. */
class Malformed {
  readonly cause: unknown;

  constructor(cause: unknown) {
    this.cause = cause;
  }
}

function wellFormed(request: unknown): unknown {
  if (!(request instanceof Malformed)) return request;
  const { cause } = request;
  const message = `the request is not a valid message: ${cause instanceof Error ? cause.message : String(cause)}`;
  throw new ServiceError('INVALID_ARGUMENT', 'MALFORMED_REQUEST', message, { cause });
}

function cancelled(): ServiceError {
  return new ServiceError('CANCELLED', 'CANCELLED', 'the caller cancelled or its deadline passed');
}
