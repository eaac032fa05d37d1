import { ServiceError } from '@mediaplane/control';
import type { ReadRecordingRequest, ReadRecordingResponse, Recording } from '@mediaplane/proto';
import type { ContainedFolder } from '../files/contained-folder.ts';
import { FileError, fileErrorFrom } from '../files/errors.ts';
import type { ChannelTable } from './channel-table.ts';
import { recordingNotFound } from './errors.ts';

const PIECE_BYTES = 64 * 1024;

export interface RecordingArchiveOptions {
  readonly folder: ContainedFolder;
  readonly table: ChannelTable;
  /** Recordings that can still be read; of more, the oldest stay on the disk alone. */
  readonly maxRecordings: number;
}

/** Which recordings this instance has made, and their bytes. */
export class RecordingArchive {
  readonly #options: RecordingArchiveOptions;
  /** By channel and recording, in order of their start; undefined while one is under way. */
  readonly #finished = new Map<string, Recording | undefined>();

  constructor(options: RecordingArchiveOptions) {
    this.#options = options;
  }

  add(channelId: string, recordingId: string): void {
    this.#finished.set(`${channelId}/${recordingId}`, undefined);
    if (this.#finished.size <= this.#options.maxRecordings) return;
    const [oldest] = this.#finished.keys();
    this.#finished.delete(oldest);
  }

  finish(channelId: string, recording: Recording): void {
    const key = `${channelId}/${recording.recordingId}`;
    if (this.#finished.has(key)) this.#finished.set(key, recording);
  }

  /**
   * The file in pieces, up to its end as it is at the call. The header of a file that grows is that of this end, so that what
   * was read from the start is a whole WAV.
   */
  async *read({
    channelId,
    recordingId,
    offsetBytes,
    limitBytes,
  }: ReadRecordingRequest): AsyncGenerator<ReadRecordingResponse> {
    const live = this.#options.table.get(channelId)?.activity?.recordings.get(recordingId);
    const recording = live?.view() ?? this.#finished.get(`${channelId}/${recordingId}`);
    if (recording === undefined) throw recordingNotFound(recordingId);
    const header = live?.file.header();
    const size = recording.sizeBytes;
    if (offsetBytes > size) {
      throw new ServiceError('OUT_OF_RANGE', 'OFFSET_BEYOND_END', `offset_bytes: the file has ${size} bytes`);
    }
    const end = limitBytes === 0 ? size : Math.min(size, offsetBytes + limitBytes);
    const handle = await this.#open(recording);
    try {
      let position = offsetBytes;
      do {
        const data = new Uint8Array(Math.min(PIECE_BYTES, end - position));
        const { bytesRead } = await handle.read(data, 0, data.length, position);
        if (header !== undefined && position < header.length) data.set(header.subarray(position, end), 0);
        yield {
          data: data.subarray(0, bytesRead),
          offsetBytes: position,
          recording: position === offsetBytes ? recording : undefined,
        };
        if (bytesRead === 0) break;
        position += bytesRead;
      } while (position < end);
    } catch (error) {
      throw ServiceError.from(error);
    } finally {
      await handle.close();
    }
  }

  async #open({ recordingId, file }: Recording) {
    try {
      return await this.#options.folder.openForReading(file);
    } catch (error) {
      if (error instanceof FileError && error.code === 'not-found') throw recordingNotFound(recordingId);
      throw fileErrorFrom(file, error);
    }
  }
}
