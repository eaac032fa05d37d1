import { ServiceError } from '@mediaplane/control';
import { MediaError } from '@mediaplane/media';
import { NetError } from '@mediaplane/net';

/** Ports come back when channels close and their quiet time is over. */
const RETRY_AFTER_MS = 1000;

export function channelNotFound(channelId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'CHANNEL_NOT_FOUND', `there is no channel ${channelId}`);
}

export function playbackNotFound(playbackId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'PLAYBACK_NOT_FOUND', `there is no playback ${playbackId}`);
}

export function recordingNotFound(recordingId: string): ServiceError {
  return new ServiceError('NOT_FOUND', 'RECORDING_NOT_FOUND', `there is no recording ${recordingId}`);
}

/** What the libraries below throw, in the words of the API. What is not foreseen becomes INTERNAL. */
export function apiError(thrown: unknown): ServiceError {
  if (thrown instanceof NetError) {
    const reason = thrown.code === 'ports-exhausted' ? 'PORTS_EXHAUSTED' : 'SOCKETS_EXHAUSTED';
    const exhausted = ['ports-exhausted', 'too-many-files', 'out-of-memory'].includes(thrown.code);
    if (exhausted) return ServiceError.exhausted(reason, thrown.message, RETRY_AFTER_MS);
  }
  if (thrown instanceof MediaError) {
    switch (thrown.code) {
      case 'no-such-session':
        return new ServiceError('NOT_FOUND', 'CHANNEL_NOT_FOUND', 'the channel has ended', { cause: thrown });
      case 'thread-lost':
      case 'stopping':
        return ServiceError.unavailable('MEDIA_THREAD_LOST', thrown.message, { cause: thrown });
    }
  }
  return ServiceError.from(thrown);
}
