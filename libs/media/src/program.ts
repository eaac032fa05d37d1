import type { AddressWords, PacketIo } from '@mediaplane/net';

/** The types that an app's media program and its control side agree on. Everything crosses threads by structured clone. */
export interface MediaContract {
  /** What a session is opened with, and what comes back. */
  init: unknown;
  opened: unknown;
  commands: Record<string, { args: unknown; result: unknown }>;
  /** What a session tells the control thread unasked. */
  event: unknown;
  /** A session's whole state, when it moves to another thread. */
  snapshot: unknown;
  /** Why a session is closed, and its last words (final statistics). */
  closing: unknown;
  closed: unknown;
}

/** One media session (a channel, a conference, a bonding group). Owned by one thread and touched by no other. */
export interface MediaSession<C extends MediaContract> {
  /** Datagram `index` of `thread.io.batch` came in on the socket that was attached as `role`. */
  onDatagram(index: number, role: number, nowUs: number): void;
  /** The 20 ms tick, while frames are on. `dueUs` is the nominal time, exactly 20 ms apart. */
  onFrame(dueUs: number, nowUs: number): void;
  onDeadline(nowUs: number): void;
  /** The session goes to another thread: its peers forget it, its timers end with it. */
  snapshot(nowUs: number): C['snapshot'];
  close(closing: C['closing'], nowUs: number): C['closed'];
  /** It has thrown and is given up: its peers must forget it, for its sockets may be another session's in a moment. */
  lost(): void;
}

export type CommandHandlers<S, C extends MediaContract> = {
  readonly [K in keyof C['commands']]: (
    session: S,
    args: C['commands'][K]['args'],
    nowUs: number,
  ) => C['commands'][K]['result'];
};

/** An app's code on one media thread. */
export interface MediaProgram<S extends MediaSession<C>, C extends MediaContract> {
  open(port: SessionPort<S, C>, init: C['init'], nowUs: number): { session: S; opened: C['opened'] };
  restore(port: SessionPort<S, C>, snapshot: C['snapshot'], nowUs: number): S;
  readonly commands: CommandHandlers<S, C>;
}

/** What a thread offers to the program that runs on it. */
export interface MediaThread {
  readonly io: PacketIo;
  /** Add it to `nowUs` to get Unix microseconds. Changes only when the wall clock is set. */
  unixOffsetUs: number;
  /** The program's own counters, in the order of the names it was started with. */
  readonly counters: Float64Array;
  /** Opaque options from the app's control side. */
  readonly options: unknown;
}

/** The module that a media thread loads exports this as `startProgram`. */
export type StartProgram<S extends MediaSession<C>, C extends MediaContract> = (
  thread: MediaThread,
) => MediaProgram<S, C>;

/** What a session may do to its surroundings. Lives as long as the session on this thread. */
export interface SessionPort<S, C extends MediaContract> {
  readonly sessionId: string;
  /** Index for `io.send`, or -1 when no socket is attached in that role. */
  socket(role: number): number;
  /** Sends from the socket of `role`. False if there is none or the kernel refused (counted). */
  send(role: number, offset: number, length: number, to: AddressWords): boolean;
  /** As `send`, by `PacketIo.queue`: the bytes must be left alone until the pass ends. Nothing happens where no socket is attached. */
  queue(role: number, offset: number, length: number, to: AddressWords): void;
  /** One deadline a session, met up to 51 ms late so that those of many sessions fall together; `Infinity` cancels it. */
  setDeadline(dueUs: number): void;
  setFrames(on: boolean): void;
  /** Goes to the control thread in order. `transfer` moves buffers instead of copying them. */
  emit(event: C['event'], transfer?: ArrayBuffer[]): void;
  /** Another session of the same thread. */
  peer(sessionId: string): S | undefined;
}
