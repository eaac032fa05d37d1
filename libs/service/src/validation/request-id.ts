import { ServiceError } from '@mediaplane/control';

const MAX_CHARACTERS = 64;

/** Of a mutation; '' for none. @throws ServiceError INVALID_ARGUMENT */
export function requestId(request: { readonly requestId: string }): string {
  if (request.requestId.length > MAX_CHARACTERS) {
    throw ServiceError.invalidField('request_id', `must have at most ${MAX_CHARACTERS} characters`);
  }
  return request.requestId;
}
