import type { Codec } from '../codec.ts';

/** What a handler knows of its call. The same whether the caller was on this instance or came over the bus. */
export interface CallContext {
  readonly requestId: string;
  /** Monotonic milliseconds on the control plane's clock; Infinity for a stream, which lasts while it is pulled. */
  readonly deadlineMs: number;
  /** Aborted at the deadline, and when a caller on this instance cancels. */
  readonly signal: AbortSignal;
}

/** What an edge (gRPC, a test) knows of a call it brings in. */
export interface CallOptions {
  /** Time left to the caller; without it the method's own `timeoutMs` holds. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Which instance serves a call.
 * - `owner`: the one named in the session id; `field` names the request's field in errors. `sessionKind` is the first part of such
 *   ids, where a service has sessions of several kinds.
 * - `placed`: one that placement chooses; `near` is a session id to stay beside, or ''. `pinned` may name the one that it must be,
 *   or ''.
 * - `instance`: the one named.
 * - `local`: whoever was asked.
 */
export type Route<Request> =
  | {
      readonly kind: 'owner';
      readonly field: string;
      readonly sessionKind?: string;
      sessionId(request: Request): string;
    }
  | {
      readonly kind: 'placed';
      readonly pinned?: { readonly field: string; instanceId(request: Request): string };
      near?(request: Request): string;
      sessions?(request: Request): number;
    }
  | { readonly kind: 'instance'; readonly field: string; instanceId(request: Request): string }
  | { readonly kind: 'local' };

export interface Method<Request, Response> {
  /** The RPC's name, and the last token of its subject. */
  readonly name: string;
  readonly requestCodec: Codec<Request>;
  readonly responseCodec: Codec<Response>;
  readonly route: Route<Request>;
  /** For mutations: the client's `request_id`, or '' when it gave none. The same id gives the same response once. */
  requestId?(request: Request): string;
  /** Default for callers without a deadline: 10 s. */
  readonly timeoutMs?: number;
  handler(request: Request, context: CallContext): Promise<Response> | Response;
}

/** A method that answers with a sequence, e.g. the bytes of a recording. Pulled by the caller, so a slow one is no burden. */
export interface StreamMethod<Request, Response> {
  readonly name: string;
  readonly requestCodec: Codec<Request>;
  readonly responseCodec: Codec<Response>;
  readonly route: Extract<Route<Request>, { kind: 'owner' | 'instance' | 'local' }>;
  handler(request: Request, context: CallContext): AsyncIterable<Response>;
}

/**
 * Answers every call of a service on any of its instances: here if this instance is the right one, else by the bus. A method is
 * registered once, before the control plane starts to serve.
 */
export interface Router {
  register<Request, Response>(method: Method<Request, Response>): void;
  registerStream<Request, Response>(method: StreamMethod<Request, Response>): void;
  /** Rejects with ServiceError only. The types are those the method was registered with. */
  call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): Promise<Response>;
  stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    request: Request,
    options?: CallOptions,
  ): AsyncIterable<Response>;
}
