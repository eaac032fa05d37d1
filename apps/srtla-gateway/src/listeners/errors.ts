import { ServiceError } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import { NetError } from '@mediaplane/net';

const RETRY_AFTER_MS = 1000;

export function listenerNotFound(listenerId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'LISTENER_NOT_FOUND', `there is no listener ${listenerId}`);
}

export function groupNotFound(groupId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'GROUP_NOT_FOUND', `there is no group ${groupId}`);
}

/** What the libraries below throw, in the words of the API. What is not foreseen becomes INTERNAL. */
export function apiError(thrown: unknown): ServiceError {
  if (thrown instanceof NetError) {
    switch (thrown.code) {
      case 'address-in-use':
      case 'address-not-available':
      case 'permission-denied':
        return new ServiceError('FAILED_PRECONDITION', 'PORT_UNAVAILABLE', thrown.message, { cause: thrown });
      case 'ports-exhausted':
      case 'too-many-files':
      case 'out-of-memory':
        return ServiceError.exhausted('SOCKETS_EXHAUSTED', thrown.message, RETRY_AFTER_MS);
    }
  }
  // A session that should be there is being opened again on another thread.
  if (thrown instanceof MediaError && ['thread-lost', 'no-such-session', 'stopping'].includes(thrown.code)) {
    return ServiceError.unavailable('MEDIA_THREAD_LOST', thrown.message, { cause: thrown });
  }
  return ServiceError.from(thrown);
}
