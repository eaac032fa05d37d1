import { WavGrowth } from '@mediaplane/audio';
import { SAMPLE_RATE_HZ } from '../media/contract.ts';

/** An open file; a `FileHandle`, or a test's. */
export interface RecordingSink {
  write(data: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesWritten: number }>;
  close(): Promise<void>;
}

export type RecordingFault =
  /** The system refused a write: disk full, read-only, gone. */
  | { readonly kind: 'write-failed'; readonly error: string }
  /** More audio waited than may wait. */
  | { readonly kind: 'overrun' }
  /** A WAV file holds no more: 4 GiB. */
  | { readonly kind: 'full' };

export interface RecordingFileOptions {
  readonly stereo: boolean;
  /** Audio that may wait for the disk. */
  readonly maxWaitingBytes: number;
  /** How long `finish` waits for the disk. */
  readonly finishWithinMs: number;
  /** Called once; the file takes no more audio and waits for `finish`. */
  onFault(fault: RecordingFault): void;
}

/**
 * A WAV file that grows. Audio is handed to the system as it comes, and the header is patched behind it: at any moment, also
 * after a kill, the file is a whole WAV, short of the audio that was on its way from the media thread.
 */
export class RecordingFile {
  readonly #sink: RecordingSink;
  readonly #options: RecordingFileOptions;
  readonly #wav: WavGrowth;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #fault: RecordingFault | undefined;

  private constructor(sink: RecordingSink, options: RecordingFileOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#wav = new WavGrowth(SAMPLE_RATE_HZ, options.stereo ? 2 : 1);
  }

  /** Writes the header of an empty WAV. Rejects, with the sink closed, with what the system said. */
  static async start(sink: RecordingSink, options: RecordingFileOptions): Promise<RecordingFile> {
    const file = new RecordingFile(sink, options);
    try {
      await file.#writeAll(file.#wav.header(), 0);
    } catch (error) {
      await sink.close();
      throw error;
    }
    return file;
  }

  /** Why it takes no more audio; undefined while it does. */
  get fault(): RecordingFault | undefined {
    return this.#fault;
  }

  /** Of the audio that is in the file. */
  get durationMs(): number {
    return Math.floor(this.#wav.durationMs);
  }

  get sizeBytes(): number {
    return this.#wav.endOffset;
  }

  /** The header as it is, or is about to be, in the file. */
  header(): Uint8Array {
    return this.#wav.header();
  }

  /** Whole frames of PCM16, little-endian, interleaved if stereo. */
  append(audio: ArrayBuffer): void {
    if (this.#fault !== undefined || audio.byteLength === 0) return;
    if (this.#waitingBytes + audio.byteLength > this.#options.maxWaitingBytes) {
      this.#fail({ kind: 'overrun' });
      return;
    }
    this.#waiting.push(new Uint8Array(audio));
    this.#waitingBytes += audio.byteLength;
    this.#writing ??= this.#writeWaiting();
  }

  /** Resolves when all that came is written and the file is closed; a disk that hangs is left to itself after a while. */
  async finish(): Promise<void> {
    const { finishWithinMs } = this.#options;
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.#fail({ kind: 'write-failed', error: `the disk has not taken the rest within ${finishWithinMs} ms` });
        resolve();
      }, finishWithinMs);
    });
    await Promise.race([this.#close(), tooLate]);
    clearTimeout(timer);
  }

  async #close(): Promise<void> {
    await this.#writing;
    try {
      await this.#sink.close();
    } catch (error) {
      // A network file system may report here that it could not keep what it took.
      this.#fail({ kind: 'write-failed', error: String(error) });
    }
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#wav.full) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const audio of batch) {
          const length = this.#wav.room(audio.byteLength);
          await this.#writeAll(audio.subarray(0, length), this.#wav.endOffset);
          this.#wav.commit(length);
          this.#waitingBytes -= audio.byteLength;
        }
        await this.#writeAll(this.#wav.header(), 0);
      }
      if (this.#wav.full) this.#fail({ kind: 'full' });
    } catch (error) {
      this.#waiting = [];
      // What the batch got into the file becomes readable; a full disk still takes a write in place.
      await this.#writeAll(this.#wav.header(), 0).catch(() => undefined);
      this.#fail({ kind: 'write-failed', error: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#writing = undefined;
    }
  }

  async #writeAll(data: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < data.byteLength;) {
      const { bytesWritten } = await this.#sink.write(data, written, data.byteLength - written, position + written);
      if (bytesWritten === 0) throw new Error('the system wrote nothing');
      written += bytesWritten;
    }
  }

  #fail(fault: RecordingFault): void {
    if (this.#fault !== undefined) return;
    this.#fault = fault;
    this.#options.onFault(fault);
  }
}
