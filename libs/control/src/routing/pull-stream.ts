import type { Clock, Timer } from '../clock.ts';
import { ServiceError } from '../errors.ts';

/**
 * A sequence of messages over request and reply: the caller opens it under an id of its own choosing, then pulls. Each reply is
 * one byte (1: the end) and messages, each after its length in 4 bytes, big-endian. A slow caller thus slows the source.
 */
export const STREAM_ID = 'Mp-Stream-Id';
/** Present on the first pull, which carries the request. */
export const STREAM_OPEN = 'Mp-Stream-Open';

/** A reply is closed when it has reached this size: well below the 1 MiB that NATS takes by default. */
const REPLY_BYTES = 64 * 1024;
/** A caller that pulls no more has gone. */
const IDLE_MS = 30_000;

interface OpenStream {
  readonly source: AsyncIterator<Uint8Array>;
  readonly stop: AbortController;
  timer: Timer | undefined;
}

/** The sources that are being pulled from this instance. */
export class PullSources {
  readonly #clock: Clock;
  readonly #open = new Map<string, OpenStream>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  open(id: string, start: (signal: AbortSignal) => AsyncIterable<Uint8Array>): Promise<Uint8Array> {
    const stop = new AbortController();
    const stream = { source: start(stop.signal)[Symbol.asyncIterator](), stop, timer: undefined };
    this.#open.set(id, stream);
    return this.pull(id);
  }

  async pull(id: string): Promise<Uint8Array> {
    const stream = this.#open.get(id);
    if (stream === undefined) throw new ServiceError('ABORTED', 'STREAM_ENDED', 'the stream was idle too long');
    stream.timer?.cancel();
    try {
      const messages: Uint8Array[] = [];
      let bytes = 0;
      let ended = false;
      while (bytes < REPLY_BYTES && !ended) {
        const next = await stream.source.next();
        if (next.done === true) ended = true;
        else {
          messages.push(next.value);
          bytes += next.value.length;
        }
      }
      if (ended) this.#close(id);
      else stream.timer = this.#clock.setTimer(() => this.#close(id), IDLE_MS);
      return frame(messages, ended);
    } catch (thrown) {
      this.#close(id);
      throw thrown;
    }
  }

  closeAll(): void {
    for (const id of [...this.#open.keys()]) this.#close(id);
  }

  #close(id: string): void {
    const stream = this.#open.get(id);
    if (stream === undefined) return;
    this.#open.delete(id);
    stream.timer?.cancel();
    stream.stop.abort();
    void stream.source.return?.();
  }
}

function frame(messages: readonly Uint8Array[], ended: boolean): Uint8Array {
  const size = messages.reduce((sum, message) => sum + 4 + message.length, 1);
  const reply = new Uint8Array(size);
  const view = new DataView(reply.buffer);
  reply[0] = ended ? 1 : 0;
  let offset = 1;
  for (const message of messages) {
    view.setUint32(offset, message.length);
    reply.set(message, offset + 4);
    offset += 4 + message.length;
  }
  return reply;
}

export function unframe(reply: Uint8Array): { readonly messages: Uint8Array[]; readonly ended: boolean } {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const messages: Uint8Array[] = [];
  let offset = 1;
  while (offset + 4 <= reply.length) {
    const length = view.getUint32(offset);
    if (offset + 4 + length > reply.length) break;
    messages.push(reply.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  if (reply.length === 0 || offset !== reply.length)
    throw new ServiceError('INTERNAL', 'BAD_FRAME', 'malformed stream reply');
  return { messages, ended: reply[0] === 1 };
}
