import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { deadlineExceeded } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import type {
  Bus,
  BusHeaders,
  BusKv,
  BusMessage,
  BusState,
  BusStream,
  KvOptions,
  RequestHandler,
  RequestOptions,
  RespondOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
} from './bus.ts';
import { EmbeddedKv } from './embedded-kv.ts';
import { EmbeddedStream } from './embedded-stream.ts';
import { busAway, noResponders, runHandler, sendRequest } from './request-wire.ts';
import type { Reply } from './request-wire.ts';
import { hasWildcard, isPattern, isSubject, matches } from './subjects.ts';

type ReplyTo = (reply: Reply) => void;

interface Listener {
  readonly pattern: string;
  readonly queue: string | undefined;
  deliver(message: BusMessage, replyTo: ReplyTo | undefined): void;
}

/**
 * The bus inside one process: what a service uses when no NATS URL is set. Deterministic: delivery is a microtask, in order of
 * sending, and time comes only from the clock. Nothing outlives the process.
 */
export class EmbeddedBus implements Bus {
  readonly system = 'in_process';
  readonly #clock: Clock;
  readonly #exact = new Map<string, Listener[]>();
  #wildcards: Listener[] = [];
  readonly #turns = new Map<string, number>();
  readonly #streams = new Map<string, EmbeddedStream>();
  readonly #buckets = new Map<string, EmbeddedKv>();
  readonly #stateListeners = new Set<(state: BusState) => void>();
  #state: BusState = 'connected';

  constructor(options: { readonly clock?: Clock } = {}) {
    this.#clock = options.clock ?? systemClock;
  }

  get state(): BusState {
    return this.#state;
  }

  onStateChange(listener: (state: BusState) => void): () => void {
    this.#stateListeners.add(listener);
    return () => this.#stateListeners.delete(listener);
  }

  publish(subject: string, payload: Uint8Array, headers: BusHeaders = {}): void {
    requireSubject(subject);
    if (this.#state === 'away') return;
    this.#deliver({ subject, payload, headers }, undefined);
  }

  subscribe(pattern: string, handler: (message: BusMessage) => void, options: SubscribeOptions = {}): Subscription {
    return this.#listen({ pattern, queue: options.queue, deliver: handler });
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    requireSubject(subject);
    return sendRequest(this.system, subject, options, (headers) =>
      this.#ask(subject, payload, headers, options.timeoutMs),
    );
  }

  respond(pattern: string, handler: RequestHandler, options: RespondOptions = {}): Subscription {
    const deliver = (message: BusMessage, replyTo: ReplyTo | undefined): void => {
      void runHandler(this.system, this.#clock, message, options.template, handler).then((reply) => {
        if (reply !== undefined) replyTo?.(reply);
      });
    };
    return this.#listen({ pattern, queue: options.queue, deliver });
  }

  stream(name: string, options: StreamOptions): BusStream {
    let stream = this.#streams.get(name);
    if (stream === undefined) {
      stream = new EmbeddedStream(options, this.#clock);
      this.#streams.set(name, stream);
    }
    return stream;
  }

  kv(bucket: string, options: KvOptions): BusKv {
    let kv = this.#buckets.get(bucket);
    if (kv === undefined) {
      kv = new EmbeddedKv(options, this.#clock);
      this.#buckets.set(bucket, kv);
    }
    return kv;
  }

  async close(): Promise<void> {
    if (this.#state === 'away') return;
    this.#state = 'away';
    this.#exact.clear();
    this.#wildcards = [];
    for (const listener of this.#stateListeners) listener('away');
  }

  #ask(subject: string, payload: Uint8Array, headers: BusHeaders, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'away') return reject(busAway());
      const timer = this.#clock.setTimer(() => reject(deadlineExceeded(subject)), timeoutMs);
      const replyTo = (reply: Reply): void => {
        timer.cancel();
        resolve(reply);
      };
      if (this.#deliver({ subject, payload, headers }, replyTo) > 0) return;
      timer.cancel();
      reject(noResponders(subject));
    });
  }

  /** Returns how many listeners get the message. */
  #deliver(message: BusMessage, replyTo: ReplyTo | undefined): number {
    const receivers = this.#receivers(message.subject);
    for (const listener of receivers) queueMicrotask(() => listener.deliver(message, replyTo));
    return receivers.length;
  }

  #receivers(subject: string): Listener[] {
    const matching = [
      ...(this.#exact.get(subject) ?? []),
      ...this.#wildcards.filter((listener) => matches(listener.pattern, subject)),
    ];
    const groups = new Map<string, Listener[]>();
    const receivers: Listener[] = [];
    for (const listener of matching) {
      if (listener.queue === undefined) receivers.push(listener);
      else groups.set(listener.queue, [...(groups.get(listener.queue) ?? []), listener]);
    }
    for (const [queue, members] of groups) {
      const turn = this.#turns.get(queue) ?? 0;
      this.#turns.set(queue, turn + 1);
      receivers.push(members[turn % members.length]);
    }
    return receivers;
  }

  #listen(listener: Listener): Subscription {
    const { pattern } = listener;
    if (!isPattern(pattern)) throw invalidSubject(pattern);
    if (hasWildcard(pattern)) this.#wildcards.push(listener);
    else this.#exact.set(pattern, [...(this.#exact.get(pattern) ?? []), listener]);
    return { unsubscribe: () => this.#forget(listener) };
  }

  #forget(listener: Listener): void {
    this.#wildcards = this.#wildcards.filter((other) => other !== listener);
    const left = (this.#exact.get(listener.pattern) ?? []).filter((other) => other !== listener);
    if (left.length > 0) this.#exact.set(listener.pattern, left);
    else this.#exact.delete(listener.pattern);
  }
}

function requireSubject(subject: string): void {
  if (!isSubject(subject)) throw invalidSubject(subject);
}

function invalidSubject(subject: string): ServiceError {
  return new ServiceError('INVALID_ARGUMENT', 'INVALID_SUBJECT', `'${subject}' is not a subject`);
}
