import { readFileSync } from 'node:fs';
import { connect, credsAuthenticator, errors } from '@nats-io/transport-node';
import type { Msg, NodeConnectionOptions } from '@nats-io/transport-node';
import { MAX_TIMER_MS, delay, systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { deadlineExceeded } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { Logger } from '../logger.ts';
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
import { fromNats, toNats } from './nats-headers.ts';
import { NatsKv } from './nats-kv.ts';
import { NatsLink } from './nats-link.ts';
import { NatsStream } from './nats-stream.ts';
import { busAway, noResponders, runHandler, sendRequest } from './request-wire.ts';
import type { Reply } from './request-wire.ts';

export interface NatsBusOptions {
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly token?: string;
  readonly user?: string;
  readonly pass?: string;
  /** Path of a .creds file (user JWT and nkey seed). */
  readonly credsFile?: string;
  readonly tls?: { readonly caFile?: string; readonly certFile?: string; readonly keyFile?: string };
  /** Copies of each stream and bucket, up to the size of the cluster. Default 1. */
  readonly replicas?: number;
  /** How long to try for the first connection. Default 30 s. */
  readonly connectTimeoutMs?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A server that does not answer a ping is away after at most three of these. */
const PING_INTERVAL_MS = 1_000;
const RECONNECT_WAIT_MS = 250;
/** For one attempt: an instance should be back before others may think it lost. */
const HANDSHAKE_TIMEOUT_MS = 2_000;

/** The bus on NATS with JetStream. Written for server 2.9.10 and later, so per-key TTL is not used. */
export class NatsBus implements Bus {
  readonly system = 'nats';
  readonly #link: NatsLink;
  readonly #clock: Clock;
  readonly #replicas: number;

  private constructor(link: NatsLink, clock: Clock, replicas: number) {
    this.#link = link;
    this.#clock = clock;
    this.#replicas = replicas;
  }

  /** The server must be reached once; from then on the bus reconnects by itself, for ever. */
  static async connect(options: NatsBusOptions): Promise<NatsBus> {
    const { connectTimeoutMs = 30_000, clock = systemClock, logger = silentLogger } = options;
    const giveUpMs = clock.nowMs() + connectTimeoutMs;
    for (;;) {
      try {
        const link = new NatsLink(await connect(connectionOptions(options)));
        link.onStateChange((state) => logger.warn({ bus: state }, `message bus ${state}`));
        return new NatsBus(link, clock, options.replicas ?? 1);
      } catch (cause) {
        if (clock.nowMs() >= giveUpMs) {
          throw ServiceError.unavailable('BUS_AWAY', `cannot reach NATS at ${options.servers.join(', ')}`, { cause });
        }
        logger.warn({ err: cause, servers: options.servers }, 'cannot reach NATS yet');
        await delay(clock, RECONNECT_WAIT_MS * 2);
      }
    }
  }

  get state(): BusState {
    return this.#link.state;
  }

  onStateChange(listener: (state: BusState) => void): () => void {
    return this.#link.onStateChange(listener);
  }

  publish(subject: string, payload: Uint8Array, headers?: BusHeaders): void {
    const { connection } = this.#link;
    // Away, nats.js would keep it and send it on return, when it is news no more; while the bus closes, it would throw.
    if (this.state === 'away' || connection.isDraining() || connection.isClosed()) return;
    connection.publish(subject, payload, headers === undefined ? {} : { headers: toNats(headers) });
  }

  subscribe(pattern: string, handler: (message: BusMessage) => void, options: SubscribeOptions = {}): Subscription {
    return this.#listen(pattern, options.queue, (native) => handler(fromMessage(native)));
  }

  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array> {
    return sendRequest(this.system, subject, options, (headers) =>
      this.#link.run(() => this.#ask(subject, payload, headers, options.timeoutMs)),
    );
  }

  respond(pattern: string, handler: RequestHandler, options: RespondOptions = {}): Subscription {
    return this.#listen(pattern, options.queue, (native) => {
      void runHandler(this.system, this.#clock, fromMessage(native), options.template, handler).then((reply) => {
        if (reply !== undefined && this.state === 'connected') {
          native.respond(reply.payload, { headers: toNats(reply.headers) });
        }
      });
    });
  }

  stream(name: string, options: StreamOptions): BusStream {
    return new NatsStream(this.#link, name, { ...options, replicas: this.#replicas }, this.#clock);
  }

  kv(bucket: string, options: KvOptions): BusKv {
    return new NatsKv(this.#link, bucket, { ...options, replicas: this.#replicas }, this.#clock);
  }

  async close(): Promise<void> {
    const { connection } = this.#link;
    if (connection.isClosed()) return;
    // Draining needs the server; without it there is nothing to drain.
    if (this.state === 'connected') await connection.drain();
    else await connection.close();
  }

  async #ask(subject: string, payload: Uint8Array, headers: BusHeaders, timeoutMs: number): Promise<Reply> {
    try {
      const options = { timeout: Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS), headers: toNats(headers) };
      const native = await this.#link.connection.request(subject, payload, options);
      return { payload: native.data, headers: fromNats(native.headers) };
    } catch (thrown) {
      if (thrown instanceof errors.RequestError && thrown.isNoResponders()) throw noResponders(subject);
      if (thrown instanceof errors.NoRespondersError) throw noResponders(subject);
      if (thrown instanceof errors.TimeoutError) throw deadlineExceeded(subject);
      if (thrown instanceof errors.RequestError || thrown instanceof errors.ClosedConnectionError) throw busAway();
      throw thrown;
    }
  }

  #listen(pattern: string, queue: string | undefined, handler: (native: Msg) => void): Subscription {
    const callback = (error: Error | null, native: Msg): void => {
      // Only a permission error arrives here; nats.js reports it once, and there will be no messages.
      if (error !== null) return;
      handler(native);
    };
    const native = this.#link.connection.subscribe(pattern, queue === undefined ? { callback } : { queue, callback });
    return { unsubscribe: () => native.unsubscribe() };
  }
}

function fromMessage(native: Msg): BusMessage {
  return { subject: native.subject, payload: native.data, headers: fromNats(native.headers) };
}

function connectionOptions(options: NatsBusOptions): NodeConnectionOptions {
  const { token, user, pass, tls, credsFile } = options;
  return {
    servers: [...options.servers],
    name: options.name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RECONNECT_WAIT_MS,
    reconnectJitter: RECONNECT_WAIT_MS,
    reconnectJitterTLS: RECONNECT_WAIT_MS,
    timeout: HANDSHAKE_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    // A stack taken at every request would be a tenth of what a forwarded command costs; errors are wrapped where they surface.
    noAsyncTraces: true,
    ...(token !== undefined && { token }),
    ...(user !== undefined && { user }),
    ...(pass !== undefined && { pass }),
    ...(tls !== undefined && { tls }),
    ...(credsFile !== undefined && { authenticator: credsAuthenticator(readFileSync(credsFile)) }),
  };
}
