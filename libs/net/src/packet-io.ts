import type { AddressWords } from './socket-address.ts';

/** `native`: epoll and libc, on Linux x64 and arm64. `dgram`: node:dgram, anywhere. */
export type NetImplementation = 'native' | 'dgram';

/** What an implementation can do; tests and operators rely on it, so it never claims more than the system granted. */
export interface NetCapabilities {
  readonly implementation: NetImplementation;
  /** `receive` may block its thread (epoll); otherwise datagrams arrive through the event loop. */
  readonly blocking: boolean;
  /** DSCP is written on outgoing datagrams. */
  readonly tos: boolean;
  /** A run of equal-sized datagrams to one destination leaves in one system call. */
  readonly gso: boolean;
  /** Datagrams dropped by the kernel are counted per socket. */
  readonly kernelDrops: boolean;
}

export interface UdpSocketOptions {
  /** IP literal, IPv4 or IPv6. */
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** 0 to 63; default 46, expedited forwarding (RFC 3246). */
  readonly dscp?: number;
  /** Beyond the system's limit with CAP_NET_ADMIN alone; the handle tells what was granted. */
  readonly receiveBufferBytes?: number;
  readonly sendBufferBytes?: number;
  /** Datagrams of one length that are queued for one destination leave in one system call where `gso` says so. Default false. */
  readonly segmentRuns?: boolean;
  /** Native only: sends and receives by the interface of this name alone (SO_BINDTODEVICE), 1 to 15 characters. */
  readonly device?: string;
  /**
   * The only address that it is to send to and to hear, IPv4 v4-mapped: what others send is dropped by the system, and the route is
   * looked up once. Where the system has no route to it yet, the socket is as one without.
   */
  readonly peer?: AddressWords;
}

/** A bound socket that no `PacketIo` has attached yet. Plain data: a control thread opens it, a media thread attaches it. */
export interface UdpSocketHandle {
  /** Unique among the handles of its `UdpSockets`, so that closing twice never hits a descriptor that was given out again. */
  readonly id: number;
  readonly implementation: NetImplementation;
  /** Descriptor, or -1 for dgram, which binds when it is attached. */
  readonly fd: number;
  readonly address: string;
  readonly port: number;
  /** What outgoing datagrams carry: 0 where it could not be set. */
  readonly dscp: number;
  /** What the kernel granted (getsockopt; Linux says twice of what it is asked for); 0 where it cannot be told. See `bufferShortages`. */
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  /** Queued datagrams gather in runs for UDP_SEGMENT; it was asked for, and the kernel has it. */
  readonly segmentRuns?: boolean;
  /** What it is connected to: where its sends go, whatever they are told. */
  readonly peer?: AddressWords;
}

/** Opens and closes sockets, on the control thread, which owns every descriptor. */
export interface UdpSockets {
  readonly capabilities: NetCapabilities;
  /** @throws NetError with code `address-in-use`, `address-not-available`, `no-such-device`, `permission-denied`, `too-many-files`, ... */
  open(options: UdpSocketOptions): Promise<UdpSocketHandle>;
  /** Idempotent. The owner of a socket detaches it first; after a crash of that thread, closing is all that is left to do. */
  close(handle: UdpSocketHandle): void;
  /** Datagrams that the kernel dropped because the receive buffer was full; -1 where it cannot be told. */
  kernelDrops(handle: UdpSocketHandle): number;
}

/** The datagrams of one pass, as columns. Valid until the next `receive`; a session must not keep offsets across passes. */
export interface PacketBatch {
  count: number;
  /** Where payload i starts in `PacketIo.bytes`; at least `HEADROOM_BYTES` before it are free to be overwritten. */
  readonly offset: Int32Array;
  readonly length: Int32Array;
  /** The `tag` that the receiving socket was attached with. */
  readonly tag: Int32Array;
  /** SOURCE_WORDS a datagram: w0, w1, w2, w3, port as in `AddressWords`. */
  readonly source: Int32Array;
}

/** Free bytes before every received payload, so that a longer header can be written in place. */
export const HEADROOM_BYTES = 64;
/** Largest datagram that is received whole; a longer one is counted in `truncated` and dropped. */
export const MAX_DATAGRAM_BYTES = 1984;

export interface PacketIoCounters {
  received: number;
  receivedBytes: number;
  sent: number;
  sentBytes: number;
  /** Sends that the kernel refused, by cause; none of them stops a loop. */
  sendWouldBlock: number;
  sendRefused: number;
  sendTooBig: number;
  sendFailed: number;
  /** Sockets that went back to single sends because UDP_SEGMENT was refused. */
  gsoRefused: number;
  receiveFailed: number;
  truncated: number;
  /** dgram only: dropped because `receive` was not called in time. Native sockets leave them in the kernel, which counts its own drops. */
  overflowed: number;
  /** Receives that took as many datagrams of one socket as a pass may: more wait behind them. */
  backlogs: number;
}

export interface PacketIoOptions {
  /** The whole arena: 2048 bytes for each datagram of a batch, the rest for `reserve`. Default 2 MiB. */
  readonly arenaBytes?: number;
  /** Most datagrams in a batch; default 256. */
  readonly batchSize?: number;
  /** Most datagrams of one socket in a batch; default 32. */
  readonly maxPerSocket?: number;
  /** Wakes a `receive` that blocks. */
  readonly doorbell?: DoorbellHandle;
  /** Native only, default true: serve many sockets by one system call (io_uring) where the system allows it. */
  readonly batchCalls?: boolean;
}

/** All UDP of one media thread: sockets are attached to it, one batch is received at a time, sends go out at once or at `flush`. */
export interface PacketIo {
  readonly capabilities: NetCapabilities;
  /** Receives and queued sends of many sockets take one system call (io_uring). */
  readonly batchesCalls: boolean;
  /** The one arena: received payloads and everything that is sent lie in it. Never grows, never moves. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly batch: PacketBatch;
  readonly counters: PacketIoCounters;
  /** Reserves `byteLength` bytes of the arena for the caller, 8-byte aligned, for the life of this PacketIo. @throws RangeError when the arena is full. */
  reserve(byteLength: number): number;
  /** `tag`: 0 to 2^30 - 1, handed back with every datagram. Native: done at once. dgram: resolves when bound, rejects with NetError. Returns the socket's index for `send`. */
  attach(handle: UdpSocketHandle, tag: number): number | Promise<number>;
  /** Datagrams of the socket that are still in the batch stay there. Does not close the descriptor (native). */
  detach(socket: number): void;
  /**
   * Native: waits until a datagram, the doorbell or `timeoutUs` (rounded up to ms by epoll), fills `batch`, returns its count.
   * dgram: returns at once with what the event loop has brought; `onReadable` says when to call.
   */
  receive(timeoutUs: number): number;
  /** Whether the doorbell was rung before the last `receive` returned; that call has reset it. Always false on dgram. */
  readonly doorbellRung: boolean;
  /** dgram only: called (once per event-loop turn at most) when datagrams wait to be received. */
  onReadable: (() => void) | null;
  /** Sends `length` bytes at `offset` of the arena. Returns true if the kernel took it; a refusal is counted, never thrown. @throws RangeError for bytes outside the arena or a socket that is not attached. */
  send(socket: number, offset: number, length: number, to: AddressWords): boolean;
  /**
   * As `send`, but the kernel may be asked only by `flush`, until which the bytes must be left alone: what was received stays
   * until the next `receive`. A refusal is counted, also in `failedSends`. Those of one socket leave in the order in which they
   * were queued; on one opened with `segmentRuns`, neighbours of one length and destination leave together, others of other
   * sockets between them notwithstanding. @throws RangeError
   */
  queue(socket: number, offset: number, length: number, to: AddressWords): void;
  /** Sends what is queued. */
  flush(): void;
  /** Sends of the socket that the kernel refused, since it was attached. */
  failedSends(socket: number): number;
  /** Sends `count` datagrams of `segmentBytes` each (the last may be shorter: `totalBytes`) that lie back to back at `offset`. Falls back to single sends, for good on this socket, if UDP_SEGMENT is refused. Returns datagrams sent. */
  sendRun(socket: number, offset: number, segmentBytes: number, totalBytes: number, to: AddressWords): number;
  close(): void;
  /** Descriptors of its own, besides the attached ones: a thread that dies leaves them to `closeLeftDescriptors`. */
  readonly descriptors: readonly number[];
}

/** Wakes a PacketIo that blocks in `receive`, from any thread of the process. Plain data, structured-cloneable. */
export interface DoorbellHandle {
  /** eventfd, or -1 where the event loop needs none. */
  readonly fd: number;
}
