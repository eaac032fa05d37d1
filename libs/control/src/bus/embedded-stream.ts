import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import type {
  BusStream,
  StreamInfo,
  StreamMessage,
  StreamOptions,
  StreamPublishOptions,
  StreamReadOptions,
} from './bus.ts';
import { sequenceTooOld, sequenceUnknown } from './stream-errors.ts';
import { matches } from './subjects.ts';

type Stored = Omit<StreamMessage, 'pending'>;

/** As JetStream's default duplicate window. */
const DUPLICATE_WINDOW_MS = 120_000;

export class EmbeddedStream implements BusStream {
  readonly #options: StreamOptions;
  readonly #clock: Clock;
  readonly #epoch = randomUUID();
  /** In order of sequence; what lies before `#head` is gone. A purge by subject leaves gaps. */
  #stored: Stored[] = [];
  #head = 0;
  #bytes = 0;
  #lastSequence = 0;
  readonly #messageIds = new Map<string, Stored>();
  readonly #waiting = new Set<() => void>();

  constructor(options: StreamOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async publish(subject: string, payload: Uint8Array, options: StreamPublishOptions = {}): Promise<number> {
    if (!this.#options.subjects.some((pattern) => matches(pattern, subject))) {
      throw ServiceError.unavailable('NO_RESPONDERS', `no stream stores ${subject}`);
    }
    const unixMs = this.#clock.unixMs();
    const known = this.#knownId(options.messageId, unixMs);
    if (known !== undefined) return known;
    const sequence = ++this.#lastSequence;
    const message: Stored = { subject, payload, headers: options.headers ?? {}, sequence, unixMs };
    if (options.messageId !== undefined) this.#messageIds.set(options.messageId, message);
    this.#stored.push(message);
    this.#bytes += payload.length;
    this.#trim(unixMs);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    return sequence;
  }

  async *read(options: StreamReadOptions): AsyncGenerator<StreamMessage> {
    const { from, filterSubject, until = Infinity, signal } = options;
    let next = 'sequence' in from ? from.sequence : this.#firstSince(from.unixMs);
    if (next > this.#lastSequence + 1) throw sequenceUnknown(next, this.#lastSequence);
    while (!signal.aborted && next <= until) {
      this.#trim(this.#clock.unixMs());
      if (next < this.#firstSequence()) throw sequenceTooOld(next, this.#firstSequence());
      const message = this.#stored[this.#indexOf(next)];
      if (message === undefined) {
        if (until <= this.#lastSequence) return;
        await this.#changed(signal);
        continue;
      }
      next = message.sequence + 1;
      if (message.sequence > until) return;
      if (filterSubject !== undefined && !matches(filterSubject, message.subject)) continue;
      yield { ...message, pending: this.#lastSequence - message.sequence };
    }
  }

  async info(): Promise<StreamInfo> {
    this.#trim(this.#clock.unixMs());
    return {
      epoch: this.#epoch,
      firstSequence: this.#firstSequence(),
      lastSequence: this.#lastSequence,
      messages: this.#stored.length - this.#head,
      bytes: this.#bytes,
    };
  }

  async purge(options: { readonly filterSubject?: string } = {}): Promise<void> {
    const { filterSubject } = options;
    const live = this.#stored.slice(this.#head);
    this.#stored =
      filterSubject === undefined ? [] : live.filter((message) => !matches(filterSubject, message.subject));
    this.#head = 0;
    this.#bytes = this.#stored.reduce((sum, message) => sum + message.payload.length, 0);
  }

  #firstSequence(): number {
    return this.#head < this.#stored.length ? this.#stored[this.#head].sequence : this.#lastSequence + 1;
  }

  #firstSince(unixMs: number): number {
    for (let index = this.#head; index < this.#stored.length; index++) {
      if (this.#stored[index].unixMs >= unixMs) return this.#stored[index].sequence;
    }
    return this.#lastSequence + 1;
  }

  /** Of the first message at or after the sequence: binary search, as there may be gaps. */
  #indexOf(sequence: number): number {
    let low = this.#head;
    let high = this.#stored.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#stored[middle].sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #trim(unixMs: number): void {
    const { maxAgeMs, maxBytes } = this.#options;
    while (this.#head < this.#stored.length) {
      const oldest = this.#stored[this.#head];
      if (this.#bytes <= maxBytes && unixMs - oldest.unixMs < maxAgeMs) break;
      this.#bytes -= oldest.payload.length;
      this.#head++;
    }
    if (this.#head > 1_000 && this.#head * 2 > this.#stored.length) {
      this.#stored = this.#stored.slice(this.#head);
      this.#head = 0;
    }
  }

  #knownId(messageId: string | undefined, unixMs: number): number | undefined {
    for (const [id, entry] of this.#messageIds) {
      if (unixMs - entry.unixMs < DUPLICATE_WINDOW_MS) break;
      this.#messageIds.delete(id);
    }
    return messageId === undefined ? undefined : this.#messageIds.get(messageId)?.sequence;
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
