import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { CallOptions, ChannelCredentials, StatusObject } from '@grpc/grpc-js';
import { context, propagation } from '@opentelemetry/api';
import type { TextMapSetter } from '@opentelemetry/api';
import { NO_CHANNELZ } from './channel-options.ts';
import type { DeepPartial, MethodDefinition, RequestOf, ResponseOf, ServiceDefinition } from './service-definition.ts';
import { fromStatus } from './status.ts';

export interface ClientOptions {
  /** Default: plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Sent as `authorization: Bearer ...`. */
  readonly bearerToken?: string | undefined;
}

export interface ClientCallOptions {
  /** Becomes the call's deadline. Default: none. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A method of a client. Rejects, or throws while iterated, with ServiceError and its details only. */
export type ClientMethod<M extends MethodDefinition> = M['responseStream'] extends true
  ? (request: DeepPartial<RequestOf<M>>, options?: ClientCallOptions) => AsyncIterable<ResponseOf<M>>
  : (request: DeepPartial<RequestOf<M>>, options?: ClientCallOptions) => Promise<ResponseOf<M>>;

export type ServiceClient<S extends ServiceDefinition> = {
  readonly [K in keyof S['methods']]: ClientMethod<S['methods'][K]>;
} & Disposable;

const metadataSetter: TextMapSetter<Metadata> = { set: (metadata, key, value) => metadata.set(key, value) };

/** A typed gRPC client made from a generated definition: `createClient(FleetServiceDefinition, '127.0.0.1:7070')`. */
export function createClient<S extends ServiceDefinition>(
  definition: S,
  address: string,
  options: ClientOptions = {},
): ServiceClient<S> {
  const client = new Client(address, options.credentials ?? credentials.createInsecure(), NO_CHANNELZ);
  const methods: Record<string | symbol, unknown> = { [Symbol.dispose]: () => client.close() };
  for (const [key, method] of Object.entries(definition.methods)) {
    const path = `/${definition.fullName}/${method.name}`;
    methods[key] = method.responseStream
      ? (request: never, call: ClientCallOptions = {}) => stream(client, path, method, request, options, call)
      : (request: never, call: ClientCallOptions = {}) => unary(client, path, method, request, options, call);
  }
  return methods as ServiceClient<S>;
}

function unary(
  client: Client,
  path: string,
  method: MethodDefinition,
  request: never,
  options: ClientOptions,
  { timeoutMs, signal }: ClientCallOptions,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = client.makeUnaryRequest(
      path,
      serializer(method),
      (bytes) => method.responseType.decode(bytes),
      request,
      metadataOf(options),
      deadline(timeoutMs),
      (error, response) => {
        signal?.removeEventListener('abort', cancel);
        if (error === null) resolve(response);
        else reject(fromStatus(error));
      },
    );
    const cancel = (): void => call.cancel();
    if (signal?.aborted === true) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}

async function* stream(
  client: Client,
  path: string,
  method: MethodDefinition,
  request: never,
  options: ClientOptions,
  { timeoutMs, signal }: ClientCallOptions,
): AsyncGenerator<unknown> {
  const decode = (bytes: Buffer): unknown => method.responseType.decode(bytes);
  const call = client.makeServerStreamRequest(
    path,
    serializer(method),
    decode,
    request,
    metadataOf(options),
    deadline(timeoutMs),
  );
  const cancel = (): void => call.cancel();
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  try {
    yield* call;
  } catch (error) {
    throw isStatus(error) ? fromStatus(error) : error;
  } finally {
    signal?.removeEventListener('abort', cancel);
    call.cancel();
  }
}

function serializer(method: MethodDefinition): (request: never) => Buffer {
  // `fromPartial` and `encode` of one message type: what the first returns, the second takes.
  return (request) => Buffer.from(method.requestType.encode(method.requestType.fromPartial(request) as never).finish());
}

function deadline(timeoutMs: number | undefined): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function metadataOf({ bearerToken }: ClientOptions): Metadata {
  const metadata = new Metadata();
  if (bearerToken !== undefined) metadata.set('authorization', `Bearer ${bearerToken}`);
  propagation.inject(context.active(), metadata, metadataSetter);
  return metadata;
}

function isStatus(error: unknown): error is StatusObject {
  return typeof error === 'object' && error !== null && 'code' in error && 'metadata' in error && 'details' in error;
}
