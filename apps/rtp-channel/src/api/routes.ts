import type { Route } from '@mediaplane/control';
import { requestId } from '@mediaplane/service';
import { apiError } from '../channels/errors.ts';

/** First part of channel ids. */
export const CHANNEL_KIND = 'ch';

/** To the instance that owns `channel_id`. */
export function owned<R extends { readonly channelId: string }>(): Extract<Route<R>, { kind: 'owner' }> {
  return { kind: 'owner', field: 'channel_id', sessionId: (request) => request.channelId };
}

/** A mutation of a channel: what every such method has in common, and its work. */
export function change<Request extends { readonly channelId: string; readonly requestId: string }, Response>(
  work: (request: Request) => Promise<Response>,
) {
  return { route: owned<Request>(), requestId, handler: guarded(work) };
}

/** Errors of the libraries below become those of the API. */
export function guarded<Args extends unknown[], Response>(work: (...args: Args) => Promise<Response>) {
  return async (...args: Args): Promise<Response> => {
    try {
      return await work(...args);
    } catch (error) {
      throw apiError(error);
    }
  };
}
