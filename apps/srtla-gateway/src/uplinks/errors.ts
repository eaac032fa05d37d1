import { ServiceError } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import { NetError } from '@mediaplane/net';

const RETRY_AFTER_MS = 1000;

export function uplinkNotFound(uplinkId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'UPLINK_NOT_FOUND', `there is no uplink ${uplinkId}`);
}

export function linkNotFound(uplinkId: string, link: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'LINK_NOT_FOUND', `uplink ${uplinkId} has no link ${link}`);
}

export function outOfMemory(maxBitrateBps: number, cause: Error): ServiceError {
  const message = `a media thread has no memory for half a second of ${maxBitrateBps} bit/s (memory.arenaBytes): ${cause.message}`;
  return ServiceError.exhausted('UPLINK_MEMORY_EXHAUSTED', message, RETRY_AFTER_MS);
}

/** What the libraries below throw when an encoder's socket is opened or a media thread is asked, in the words of the API. */
export function apiError(thrown: unknown): ServiceError {
  if (thrown instanceof NetError) {
    switch (thrown.code) {
      case 'address-in-use':
      case 'address-not-available':
      case 'address-family-not-supported':
      case 'permission-denied':
        return new ServiceError('FAILED_PRECONDITION', 'PORT_UNAVAILABLE', thrown.message, { cause: thrown });
      case 'too-many-files':
      case 'out-of-memory':
        return ServiceError.exhausted('SOCKETS_EXHAUSTED', thrown.message, RETRY_AFTER_MS);
    }
  }
  if (thrown instanceof MediaError && (thrown.code === 'thread-lost' || thrown.code === 'stopping')) {
    return ServiceError.unavailable('MEDIA_THREAD_LOST', thrown.message, { cause: thrown });
  }
  return ServiceError.from(thrown);
}
