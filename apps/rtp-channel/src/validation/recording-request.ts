import { RecordingChannelMode, RecordingDirection } from '@mediaplane/proto';
import type { ReadRecordingRequest, StartRecordingRequest } from '@mediaplane/proto';
import { quoted, Violations } from '@mediaplane/service';
import { relativePathProblem } from './relative-path.ts';
import { normaliseChoice } from './settings.ts';

export interface RecordingOrder {
  /** Empty: named after the channel and the recording. */
  readonly file: string;
  readonly channelMode: RecordingChannelMode;
  readonly direction: RecordingDirection;
  /** 0: no limit. */
  readonly maxDurationMs: number;
  readonly startPaused: boolean;
}

/** @throws ServiceError INVALID_ARGUMENT */
export function validateRecording(request: StartRecordingRequest): RecordingOrder {
  const violations = new Violations();
  const { file, maxDurationMs, startPaused } = request;
  if (file !== '') {
    const problem = file.endsWith('.wav') ? relativePathProblem(file) : 'must end in .wav';
    if (problem !== undefined) violations.add('file', `${problem}, is ${quoted(file)}`);
  }
  const direction = normaliseChoice(
    request.direction,
    RecordingDirection,
    RecordingDirection.BOTH,
    'direction',
    violations,
  );
  const channelMode = normaliseChoice(
    request.channelMode,
    RecordingChannelMode,
    direction === RecordingDirection.BOTH ? RecordingChannelMode.STEREO : RecordingChannelMode.MONO,
    'channel_mode',
    violations,
  );
  if (maxDurationMs < 0) violations.add('max_duration_ms', `must be at least 0 ms, is ${maxDurationMs}`);
  violations.throwIfAny();
  return { file, channelMode, direction, maxDurationMs, startPaused };
}

/** @throws ServiceError INVALID_ARGUMENT */
export function validateRead({ offsetBytes, limitBytes }: ReadRecordingRequest): void {
  const violations = new Violations();
  if (offsetBytes < 0) violations.add('offset_bytes', `must be at least 0, is ${offsetBytes}`);
  if (limitBytes < 0) violations.add('limit_bytes', `must be at least 0, is ${limitBytes}`);
  violations.throwIfAny();
}
