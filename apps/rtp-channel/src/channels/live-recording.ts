import { RecordingState } from '@mediaplane/proto';
import type { Recording } from '@mediaplane/proto';
import type { RecordingFile } from '../files/recording-file.ts';
import { SAMPLE_RATE_HZ } from '../media/contract.ts';
import type { RecordingOrder } from '../validation/recording-request.ts';

/** A recording under way: its file, and how the API shows it. */
export class LiveRecording {
  readonly recordingId: string;
  readonly file: RecordingFile;
  paused: boolean;
  /** Set when it is ending; resolves with its last view. */
  finishing: Promise<Recording> | undefined;
  readonly #name: string;
  readonly #order: RecordingOrder;
  readonly #startTime = new Date();

  constructor(recordingId: string, name: string, order: RecordingOrder, file: RecordingFile) {
    this.recordingId = recordingId;
    this.file = file;
    this.paused = order.startPaused;
    this.#name = name;
    this.#order = order;
  }

  view(finished = false): Recording {
    const { channelMode, direction } = this.#order;
    const living = this.paused ? RecordingState.PAUSED : RecordingState.RECORDING;
    return {
      recordingId: this.recordingId,
      state: finished ? RecordingState.FINISHED : living,
      file: this.#name,
      channelMode,
      direction,
      durationMs: this.file.durationMs,
      sizeBytes: this.file.sizeBytes,
      sampleRateHz: SAMPLE_RATE_HZ,
      startTime: this.#startTime,
    };
  }
}
