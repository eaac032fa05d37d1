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
import { MessageLog } from './message-log.ts';
import { sequenceTooOld, sequenceUnknown } from './stream-errors.ts';
import { matches } from './subjects.ts';

/** As JetStream's default duplicate window. */
const DUPLICATE_WINDOW_MS = 120_000;
const ID_CHECK_INTERVAL_MS = 1_000;
const FIRST = 1;

export class EmbeddedStream implements BusStream {
  readonly #options: StreamOptions;
  readonly #clock: Clock;
  readonly #epoch = randomUUID();
  #log = new MessageLog();
  #lastSequence = 0;
  /** Sequences by message id, of stored messages from `#idsFrom` on: the older ones are not repeated any more. */
  readonly #messageIds = new Map<string, number>();
  #idsFrom = FIRST;
  #idsCheckedUnixMs = 0;
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
    this.#forgetOldIds(unixMs);
    const { headers = {}, messageId = '' } = options;
    const known = this.#messageIds.get(messageId);
    if (known !== undefined) return known;
    const sequence = ++this.#lastSequence;
    if (messageId !== '') this.#messageIds.set(messageId, sequence);
    this.#log.append({ sequence, unixMs, subject, messageId, headers, payload });
    this.#trim(unixMs);
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
    return sequence;
  }

  async *read(options: StreamReadOptions): AsyncGenerator<StreamMessage> {
    const { from, filterSubject, until = Infinity, signal } = options;
    let next = 'sequence' in from ? from.sequence : (this.#log.firstSince(from.unixMs) ?? this.#lastSequence + 1);
    if (next > this.#lastSequence + 1) throw sequenceUnknown(next, this.#lastSequence);
    while (!signal.aborted && next <= until) {
      this.#trim(this.#clock.unixMs());
      if (next < this.#firstSequence()) throw sequenceTooOld(next, this.#firstSequence());
      const message = this.#log.at(next);
      if (message === undefined) {
        if (until <= this.#lastSequence) return;
        await this.#changed(signal);
        continue;
      }
      next = message.sequence + 1;
      if (message.sequence > until) return;
      if (filterSubject !== undefined && !matches(filterSubject, message.subject)) continue;
      const { sequence, unixMs, subject, headers, payload } = message;
      yield { sequence, unixMs, subject, headers, payload, pending: this.#lastSequence - sequence };
    }
  }

  async info(): Promise<StreamInfo> {
    this.#trim(this.#clock.unixMs());
    return {
      epoch: this.#epoch,
      firstSequence: this.#firstSequence(),
      lastSequence: this.#lastSequence,
      messages: this.#log.count,
      bytes: this.#log.bytes,
    };
  }

  async purge(options: { readonly filterSubject?: string } = {}): Promise<void> {
    const { filterSubject } = options;
    const live = this.#log;
    this.#log = new MessageLog();
    for (const message of live) {
      if (filterSubject !== undefined && !matches(filterSubject, message.subject)) this.#log.append(message);
      else this.#messageIds.delete(message.messageId);
    }
  }

  #firstSequence(): number {
    return this.#log.firstSequence() ?? this.#lastSequence + 1;
  }

  #trim(unixMs: number): void {
    const { maxAgeMs, maxBytes } = this.#options;
    while (this.#log.bytes > maxBytes || this.#log.unixMsFrom(FIRST) <= unixMs - maxAgeMs) {
      if (this.#firstSequence() >= this.#idsFrom) this.#forgetNextId();
      this.#log.dropFirst();
    }
  }

  #forgetOldIds(unixMs: number): void {
    if (unixMs - this.#idsCheckedUnixMs < ID_CHECK_INTERVAL_MS) return;
    this.#idsCheckedUnixMs = unixMs;
    while (this.#log.unixMsFrom(this.#idsFrom) <= unixMs - DUPLICATE_WINDOW_MS) this.#forgetNextId();
  }

  #forgetNextId(): void {
    const message = this.#log.at(this.#idsFrom);
    if (message === undefined) return;
    this.#messageIds.delete(message.messageId);
    this.#idsFrom = message.sequence + 1;
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
