/**
 * What every part of mediaplane knows of the message bus. Two implementations stand behind it, held to one conformance
 * suite: `EmbeddedBus` (in this process) and `NatsBus`. Payloads are bytes that nobody may change once handed over.
 *
 * Every call that needs the other side fails with UNAVAILABLE (reason BUS_AWAY) within 50 ms while the bus is away.
 */
export interface Bus {
  readonly system: 'in_process' | 'nats';
  readonly state: BusState;
  /** Called after each change; returns the function that stops it. */
  onStateChange(listener: (state: BusState) => void): () => void;

  /** At most once, to whoever listens now. Dropped while away. */
  publish(subject: string, payload: Uint8Array, headers?: BusHeaders): void;
  /** `subject` may contain `*` (one token) and end in `>` (one or more). Of a queue group, one member gets each message. */
  subscribe(subject: string, handler: (message: BusMessage) => void, options?: SubscribeOptions): Subscription;

  /** Resolves with the reply, rejects with the ServiceError the responder threw. */
  request(subject: string, payload: Uint8Array, options: RequestOptions): Promise<Uint8Array>;
  /** A request whose time is up before its handler could start is dropped without an answer: its caller is gone. */
  respond(subject: string, handler: RequestHandler, options?: RespondOptions): Subscription;

  /** A handle; the stream is made on first use, and again if the server has lost it. */
  stream(name: string, options: StreamOptions): BusStream;
  /** A handle; the bucket is made on first use, and again if the server has lost it. Names: `[A-Za-z0-9_-]+`. */
  kv(bucket: string, options: KvOptions): BusKv;

  close(): Promise<void>;
}

export type BusState = 'connected' | 'away';

/** Names are case-sensitive; values are single-line. */
export type BusHeaders = Readonly<Record<string, string>>;

export interface BusMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: BusHeaders;
}

export interface Subscription {
  unsubscribe(): void;
}

export interface SubscribeOptions {
  readonly queue?: string;
}

export interface RequestOptions {
  /** Time left to the caller; carried to the responder in a header, because clocks differ. */
  readonly timeoutMs: number;
  readonly headers?: BusHeaders;
  readonly requestId?: string;
  /** Aborting rejects with CANCELLED; the responder runs on until its deadline. */
  readonly signal?: AbortSignal;
  /** The subject with ids replaced, for spans: `mp.v1.rtp-channel.i.{instance}.GetChannel`. */
  readonly template?: string;
}

export interface BusRequest extends BusMessage {
  readonly requestId: string;
  /** On the monotonic clock of this process. */
  readonly deadlineMs: number;
  /** Aborted when the deadline passes. */
  readonly signal: AbortSignal;
}

export type RequestHandler = (request: BusRequest) => Promise<Uint8Array>;

export interface RespondOptions extends SubscribeOptions {
  readonly template?: string;
}

// ---------------------------------------------------------------------------------------------------------- streams

export interface StreamOptions {
  readonly subjects: readonly string[];
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** An ordered log of messages. Sequences start at 1 and are never used twice within one `epoch`. */
export interface BusStream {
  /** Resolves when the message is stored. A repeated `messageId` (within 2 minutes) is stored once. */
  publish(subject: string, payload: Uint8Array, options?: StreamPublishOptions): Promise<number>;
  /**
   * What is stored, then what comes. Survives the bus going away and coming back without loss or repetition. Throws OUT_OF_RANGE
   * (SEQUENCE_TOO_OLD) if what comes next is no longer stored, (SEQUENCE_UNKNOWN) if it lies beyond the end.
   */
  read(options: StreamReadOptions): AsyncIterable<StreamMessage>;
  info(): Promise<StreamInfo>;
  purge(options?: { readonly filterSubject?: string }): Promise<void>;
}

export interface StreamPublishOptions {
  readonly headers?: BusHeaders;
  readonly messageId?: string;
  readonly timeoutMs?: number;
}

export interface StreamReadOptions {
  /** The first sequence wanted, or everything stored since a time of the server's clock. */
  readonly from: { readonly sequence: number } | { readonly unixMs: number };
  readonly filterSubject?: string;
  /** Ends with this sequence, or the last one stored before it, rather than waiting for more. */
  readonly until?: number;
  readonly signal: AbortSignal;
}

export interface StreamMessage extends BusMessage {
  readonly sequence: number;
  readonly unixMs: number;
  /** How far the reader lags: about how many more messages were stored when this one was handed out. */
  readonly pending: number;
}

export interface StreamInfo {
  /** Changes when the stream was made anew: sequences of another epoch mean nothing. */
  readonly epoch: string;
  /** `lastSequence + 1` when nothing is stored. */
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
}

// --------------------------------------------------------------------------------------------------------- key-value

export interface KvOptions {
  /** Of the whole bucket: a key not written for this long disappears, and no watcher is told. 0: never. */
  readonly ttlMs: number;
  readonly history?: number;
  readonly storage?: 'file' | 'memory';
}

export interface KvEntry {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

export type KvChange =
  | { readonly kind: 'put'; readonly entry: KvEntry }
  | { readonly kind: 'delete'; readonly key: string }
  /** Once, after the last entry of the snapshot. */
  | { readonly kind: 'ready' };

/** Keys are subject tokens joined by `.`: `[A-Za-z0-9_=-]+(\.[A-Za-z0-9_=-]+)*`. A filter may use `*` and `>`. */
export interface BusKv {
  get(key: string): Promise<KvEntry | undefined>;
  /** ALREADY_EXISTS (KEY_EXISTS) if present. Resolves with the revision. */
  create(key: string, value: Uint8Array): Promise<number>;
  /** ABORTED (REVISION_MISMATCH) unless the key's last revision is this one; also when the key is gone. */
  update(key: string, value: Uint8Array, revision: number): Promise<number>;
  put(key: string, value: Uint8Array): Promise<number>;
  /** Removes the key and all its history, so that the bucket shrinks. Deleting what is not there is no error. */
  delete(key: string): Promise<void>;
  keys(filter?: string): Promise<string[]>;
  entries(filter?: string): Promise<KvEntry[]>;
  /**
   * A snapshot, `ready`, then changes. Deletes leave nothing in the bucket, so they are told at most once and a watcher that
   * was away misses them; nor is expiry told. Whoever must know for sure asks `get`.
   */
  watch(options: { readonly filter?: string; readonly signal: AbortSignal }): AsyncIterable<KvChange>;
  /** How many messages the bucket stores: with history 1, its keys. */
  size(): Promise<number>;
}
