import type { BusHeaders } from './bus.ts';

export interface LoggedMessage {
  readonly sequence: number;
  readonly unixMs: number;
  readonly subject: string;
  /** '' when its publisher gave none. */
  readonly messageId: string;
  readonly headers: BusHeaders;
  /** A view into the log, which writes no byte twice. */
  readonly payload: Uint8Array;
}

/**
 * A record: sequence and time (float64), length of the text (uint32), the text (JSON of message id, subject and headers), the
 * payload.
 */
const SEQUENCE = 0;
const TIME = 8;
const TEXT_LENGTH = 16;
const TEXT = 20;

const CHUNK_BYTES = 65_536;
const CHUNK_MESSAGES = 512;
/** Its place in the chunk. */
const INDEX_BYTES = 4;

/**
 * Messages in order of sequence, as bytes in chunks of 64 KiB: an object for each, with a header object and a payload buffer of its
 * own, takes four times as much. What is dropped gives its memory back when all of its chunk is.
 */
export class MessageLog {
  readonly #chunks: Chunk[] = [];
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** What the messages occupy: headers, subject and index too. */
  get bytes(): number {
    return this.#bytes;
  }

  append(message: LoggedMessage): void {
    const text = JSON.stringify([message.messageId, message.subject, message.headers]);
    const textLength = Buffer.byteLength(text);
    const size = TEXT + textLength + message.payload.length;
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || !chunk.hasRoom(size)) {
      chunk = new Chunk(Math.max(size, CHUNK_BYTES));
      this.#chunks.push(chunk);
    }
    chunk.append(message, text, textLength);
    this.#count++;
    this.#bytes += size + INDEX_BYTES;
  }

  /** The first message at or after the sequence. */
  at(sequence: number): LoggedMessage | undefined {
    const chunk = this.#chunkOf(sequence);
    return chunk?.read(chunk.indexOf(sequence));
  }

  /** The time of the first message at or after the sequence; Infinity when there is none. */
  unixMsFrom(sequence: number): number {
    const chunk = this.#chunkOf(sequence);
    return chunk?.unixMsAt(chunk.indexOf(sequence)) ?? Infinity;
  }

  /** `undefined` when there is none. */
  firstSequence(): number | undefined {
    return this.#chunks[0]?.sequenceAt(this.#chunks[0].head);
  }

  /** The sequence of the first message that is not older. */
  firstSince(unixMs: number): number | undefined {
    for (const chunk of this.#chunks) {
      if (chunk.unixMsAt(chunk.tail - 1) < unixMs) continue;
      for (let index = chunk.head; index < chunk.tail; index++) {
        if (chunk.unixMsAt(index) >= unixMs) return chunk.sequenceAt(index);
      }
    }
    return undefined;
  }

  dropFirst(): void {
    const [chunk] = this.#chunks;
    this.#bytes -= chunk.sizeAt(chunk.head) + INDEX_BYTES;
    this.#count--;
    if (++chunk.head === chunk.tail) this.#chunks.shift();
  }

  #chunkOf(sequence: number): Chunk | undefined {
    const chunks = this.#chunks;
    return chunks[firstOf(0, chunks.length, (index) => chunks[index].lastSequence >= sequence)];
  }

  *[Symbol.iterator](): Generator<LoggedMessage> {
    for (const chunk of this.#chunks) for (let index = chunk.head; index < chunk.tail; index++) yield chunk.read(index);
  }
}

class Chunk {
  /** Messages from here up to `tail` are live. */
  head = 0;
  tail = 0;
  readonly #bytes: Buffer;
  readonly #view: DataView;
  /** Where each message begins, and behind the last one where the next will. */
  readonly #offsets = new Uint32Array(CHUNK_MESSAGES + 1);

  constructor(capacity: number) {
    const memory = new ArrayBuffer(capacity);
    this.#bytes = Buffer.from(memory);
    this.#view = new DataView(memory);
  }

  get lastSequence(): number {
    return this.sequenceAt(this.tail - 1);
  }

  hasRoom(size: number): boolean {
    return this.tail < CHUNK_MESSAGES && this.#offsets[this.tail] + size <= this.#bytes.length;
  }

  indexOf(sequence: number): number {
    return firstOf(this.head, this.tail, (index) => this.sequenceAt(index) >= sequence);
  }

  append({ sequence, unixMs, payload }: LoggedMessage, text: string, textLength: number): void {
    const start = this.#offsets[this.tail];
    this.#view.setFloat64(start + SEQUENCE, sequence);
    this.#view.setFloat64(start + TIME, unixMs);
    this.#view.setUint32(start + TEXT_LENGTH, textLength);
    this.#bytes.write(text, start + TEXT, textLength, 'utf8');
    this.#bytes.set(payload, start + TEXT + textLength);
    this.#offsets[++this.tail] = start + TEXT + textLength + payload.length;
  }

  sequenceAt(index: number): number {
    return this.#view.getFloat64(this.#offsets[index] + SEQUENCE);
  }

  unixMsAt(index: number): number {
    return this.#view.getFloat64(this.#offsets[index] + TIME);
  }

  sizeAt(index: number): number {
    return this.#offsets[index + 1] - this.#offsets[index];
  }

  read(index: number): LoggedMessage {
    const textStart = this.#offsets[index] + TEXT;
    const payloadStart = textStart + this.#view.getUint32(this.#offsets[index] + TEXT_LENGTH);
    const text = this.#bytes.toString('utf8', textStart, payloadStart);
    const [messageId, subject, headers]: [string, string, BusHeaders] = JSON.parse(text);
    return {
      sequence: this.sequenceAt(index),
      unixMs: this.unixMsAt(index),
      subject,
      messageId,
      headers,
      payload: this.#bytes.subarray(payloadStart, this.#offsets[index + 1]),
    };
  }
}

/** The first index from `low` up to `high` that passes, `high` if none does: binary search, as there may be gaps. */
function firstOf(low: number, high: number, passes: (index: number) => boolean): number {
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
