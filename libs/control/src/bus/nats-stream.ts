import {
  DeliverPolicy,
  DiscardPolicy,
  JetStreamApiError,
  StorageType,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import type { Clock } from '../clock.ts';
import type {
  BusStream,
  StreamInfo,
  StreamMessage,
  StreamOptions,
  StreamPublishOptions,
  StreamReadOptions,
} from './bus.ts';
import { isStreamMissing } from './jetstream-errors.ts';
import { fromNats, toNats } from './nats-headers.ts';
import { JETSTREAM_TIMEOUT_MS } from './nats-link.ts';
import type { NatsLink } from './nats-link.ts';
import { readOrdered } from './nats-reader.ts';
import { sequenceTooOld, sequenceUnknown } from './stream-errors.ts';

/** JetStream API error "stream name already in use with a different configuration". */
const STREAM_NAME_IN_USE = 10058;

export interface NatsStreamOptions extends StreamOptions {
  readonly replicas: number;
}

export class NatsStream implements BusStream {
  readonly #link: NatsLink;
  readonly #name: string;
  readonly #options: NatsStreamOptions;
  readonly #clock: Clock;
  readonly #client: JetStreamClient;
  #manager: Promise<JetStreamManager> | undefined;

  constructor(link: NatsLink, name: string, options: NatsStreamOptions, clock: Clock) {
    this.#link = link;
    this.#name = name;
    this.#options = options;
    this.#clock = clock;
    this.#client = jetstream(link.connection, { timeout: JETSTREAM_TIMEOUT_MS });
  }

  publish(subject: string, payload: Uint8Array, options: StreamPublishOptions = {}): Promise<number> {
    const { headers, messageId, timeoutMs = JETSTREAM_TIMEOUT_MS } = options;
    const native = {
      timeout: timeoutMs,
      // Without an answer nobody stores the subject: the stream is gone, and making it again is `#with`'s work, not a retry's.
      retries: 1,
      ...(headers !== undefined && { headers: toNats(headers) }),
      ...(messageId !== undefined && { msgID: messageId }),
    };
    return this.#with(async () => (await this.#client.publish(subject, payload, native)).seq);
  }

  async *read(options: StreamReadOptions): AsyncGenerator<StreamMessage> {
    const { from, filterSubject, until = Infinity, signal } = options;
    const info = await this.info();
    const byTime = 'unixMs' in from;
    const first = byTime ? await this.#firstSince(from.unixMs, info) : from.sequence;
    if (first > info.lastSequence + 1) throw sequenceUnknown(first, info.lastSequence);
    if (!byTime && first < info.firstSequence) throw sequenceTooOld(first, info.firstSequence);
    if (first > until) return;
    const messages = readOrdered(this.#link, this.#clock, {
      stream: this.#name,
      filterSubject: filterSubject ?? '>',
      from: first,
      signal,
      check: (next) => this.#check(next, info.epoch),
    });
    for await (const message of messages) {
      if (message.seq > until) return;
      yield {
        subject: message.subject,
        payload: message.data,
        headers: fromNats(message.headers),
        sequence: message.seq,
        unixMs: message.time.getTime(),
        pending: message.info.pending,
      };
      if (message.seq === until || (until < Infinity && message.info.pending === 0)) return;
    }
  }

  info(): Promise<StreamInfo> {
    return this.#with(async (manager) => {
      const { state, created } = await manager.streams.info(this.#name);
      return {
        epoch: String(created),
        firstSequence: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
        lastSequence: state.last_seq,
        messages: state.messages,
        bytes: state.bytes,
      };
    });
  }

  async purge(options: { readonly filterSubject?: string } = {}): Promise<void> {
    const { filterSubject } = options;
    await this.#with((manager) =>
      manager.streams.purge(this.#name, filterSubject === undefined ? undefined : { filter: filterSubject }),
    );
  }

  async #check(next: number, epoch: string): Promise<void> {
    const info = await this.info();
    if (info.epoch !== epoch || next > info.lastSequence + 1) throw sequenceUnknown(next, info.lastSequence);
    if (next < info.firstSequence) throw sequenceTooOld(next, info.firstSequence);
  }

  /** JetStream finds the sequence; an ephemeral consumer is how one asks it. */
  async #firstSince(unixMs: number, info: StreamInfo): Promise<number> {
    return this.#with(async (manager) => {
      const consumer = await manager.consumers.add(this.#name, {
        deliver_policy: DeliverPolicy.StartTime,
        opt_start_time: new Date(unixMs).toISOString(),
        inactive_threshold: nanos(1_000),
      });
      await manager.consumers.delete(this.#name, consumer.name);
      return Math.max(info.lastSequence + 1 - consumer.num_pending, 1);
    });
  }

  /** Makes the stream on first use, and once more if an operation finds it gone. */
  async #with<T>(operation: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    return this.#link.runJetStream(async () => {
      try {
        return await operation(await this.#ensure());
      } catch (thrown) {
        if (!isStreamMissing(thrown)) throw thrown;
        this.#manager = undefined;
        return await operation(await this.#ensure());
      }
    });
  }

  #ensure(): Promise<JetStreamManager> {
    const making = (this.#manager ??= this.#make());
    making.catch(() => {
      if (this.#manager === making) this.#manager = undefined;
    });
    return making;
  }

  async #make(): Promise<JetStreamManager> {
    const manager = await jetstreamManager(this.#link.connection, { timeout: JETSTREAM_TIMEOUT_MS, checkAPI: false });
    const limits = {
      subjects: [...this.#options.subjects],
      max_age: nanos(this.#options.maxAgeMs),
      max_bytes: this.#options.maxBytes,
      num_replicas: this.#options.replicas,
    };
    try {
      const duplicate_window = Math.min(nanos(120_000), limits.max_age);
      await manager.streams.add({
        name: this.#name,
        storage: StorageType.File,
        discard: DiscardPolicy.Old,
        duplicate_window,
        ...limits,
      });
    } catch (thrown) {
      // An instance of another version made it: its limits are taken over by whoever starts last.
      if (!(thrown instanceof JetStreamApiError && thrown.code === STREAM_NAME_IN_USE)) throw thrown;
      await manager.streams.update(this.#name, limits);
    }
    return manager;
  }
}
