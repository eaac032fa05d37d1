import type { Method, Router, StreamMethod } from '@mediaplane/control';
import type { MethodDefinition, RequestOf, ResponseOf, ServiceDefinition } from './service-definition.ts';

/** What an app says of one RPC beside its name and types: which instance serves it, and the handler. */
export type Handler<M extends MethodDefinition> = M['responseStream'] extends true
  ? Omit<StreamMethod<RequestOf<M>, ResponseOf<M>>, 'name' | 'requestCodec' | 'responseCodec'>
  : Omit<Method<RequestOf<M>, ResponseOf<M>>, 'name' | 'requestCodec' | 'responseCodec'>;

/** One handler for every method of a service; a missing or mistyped one does not compile. */
export type Handlers<S extends ServiceDefinition> = { readonly [K in keyof S['methods']]: Handler<S['methods'][K]> };

/** The methods of a service as the router knows them, for calls from inside. */
export type RoutedMethods<S extends ServiceDefinition> = {
  readonly [K in keyof S['methods']]: S['methods'][K]['responseStream'] extends true
    ? StreamMethod<RequestOf<S['methods'][K]>, ResponseOf<S['methods'][K]>>
    : Method<RequestOf<S['methods'][K]>, ResponseOf<S['methods'][K]>>;
};

/** One RPC with its types forgotten: what the gRPC server binds, by the name it has in the `.proto` file. */
export type BoundMethod =
  | { readonly name: string; readonly streaming: false; readonly method: Method<unknown, unknown> }
  | { readonly name: string; readonly streaming: true; readonly method: StreamMethod<unknown, unknown> };

/** A service that is served: one table for gRPC and the bus. */
export interface ServedApi {
  readonly definition: ServiceDefinition;
  readonly bound: readonly BoundMethod[];
  /** Instances call it among themselves; it is not offered over gRPC. */
  readonly busOnly: boolean;
}

export interface Api<S extends ServiceDefinition> extends ServedApi {
  readonly methods: RoutedMethods<S>;
}

export interface ApiOptions {
  /** Instances call it among themselves; it is not offered over gRPC. */
  readonly busOnly?: boolean;
  /** Put before method names on the bus, where all APIs of a service share one space of names. */
  readonly busPrefix?: string;
}

/**
 * Joins a generated service definition with its handlers:
 *
 *     defineApi(FleetServiceDefinition, { getInstance: { route: { kind: 'local' }, handler: async (request) => ... }, ... })
 */
export function defineApi<S extends ServiceDefinition>(
  definition: S,
  handlers: Handlers<S>,
  options: ApiOptions = {},
): Api<S> {
  const methods: Record<string, unknown> = {};
  const bound: BoundMethod[] = [];
  for (const [key, { name, requestType, responseType, responseStream, requestStream }] of Object.entries(
    definition.methods,
  )) {
    if (requestStream) throw new Error(`${definition.fullName}/${name}: requests that are streams are not supported`);
    const method = {
      ...handlers[key],
      name: (options.busPrefix ?? '') + name,
      requestCodec: requestType,
      responseCodec: responseType,
    };
    methods[key] = method;
    // The compiler has checked the handler against the definition; from here on only the codecs know the types.
    bound.push({ name, streaming: responseStream, method } as unknown as BoundMethod);
  }
  return { definition, methods: methods as RoutedMethods<S>, bound, busOnly: options.busOnly ?? false };
}

export function registerApi(router: Router, api: ServedApi): void {
  for (const entry of api.bound) {
    if (entry.streaming) router.registerStream(entry.method);
    else router.register(entry.method);
  }
}
