import { ServiceError } from '@mediaplane/control';
import type { CallContext, CallOptions, Method, Router, StreamMethod } from '@mediaplane/control';

/** A router of an instance that is alone: every call is handled here. Keeps the contexts it made, for tests to look at. */
export class DirectRouter implements Router {
  readonly contexts: CallContext[] = [];

  register(): void {}
  registerStream(): void {}

  async call<Q, A>(method: Method<Q, A>, request: Q, options: CallOptions = {}): Promise<A> {
    try {
      return await method.handler(request, this.context(options));
    } catch (error) {
      throw ServiceError.from(error);
    }
  }

  stream<Q, A>(method: StreamMethod<Q, A>, request: Q, options: CallOptions = {}): AsyncIterable<A> {
    return method.handler(request, this.context(options));
  }

  private context({ timeoutMs = 10_000, signal = new AbortController().signal }: CallOptions): CallContext {
    const context = { requestId: '', deadlineMs: performance.now() + timeoutMs, signal };
    this.contexts.push(context);
    return context;
  }
}
