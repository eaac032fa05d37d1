import type { Route } from '@mediaplane/control';
import { ServiceError } from '@mediaplane/control';
import { apiError } from '../channels/errors.ts';

const MAX_REQUEST_ID_CHARACTERS = 64;

/** First part of channel ids. */
export const CHANNEL_KIND = 'ch';

/** To the instance that owns `channel_id`. */
export function owned<R extends { readonly channelId: string }>(): Extract<Route<R>, { kind: 'owner' }> {
  return { kind: 'owner', field: 'channel_id', sessionId: (request) => request.channelId };
}

/** @throws ServiceError INVALID_ARGUMENT */
export function requestId(request: { readonly requestId: string }): string {
  if (request.requestId.length > MAX_REQUEST_ID_CHARACTERS) {
    throw ServiceError.invalidField('request_id', `must have at most ${MAX_REQUEST_ID_CHARACTERS} characters`);
  }
  return request.requestId;
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
