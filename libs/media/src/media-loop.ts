import type { AddressWords, PacketIo } from '@mediaplane/net';
import { followWallClock } from './clock.ts';
import type { SharedCounters, ThreadCounter } from './counters.ts';
import { FrameClock } from './frame-clock.ts';
import { MAX_ROLES, type FromThread, type SessionSocket, type ToThread } from './messages.ts';
import type { MediaContract, MediaProgram, MediaSession, MediaThread, SessionPort } from './program.ts';
import { NO_SOCKET, RoleSockets } from './role-sockets.ts';
import { TimerWheel } from './timer-wheel.ts';

/** The longest a thread sleeps with nothing to do; the watchdog counts on it. */
export const IDLE_WAIT_US = 100_000;
/** Deadlines of many sessions fall together, so that one wake-up serves them: a thousand idle channels cost 20 a second, not 200. */
const DEADLINE_GRAIN_US = 50_000;
const WALL_CLOCK_INTERVAL_US = 10_000_000;

export type Post<C extends MediaContract> = (message: FromThread<C>, transfer?: ArrayBuffer[]) => void;

/** One session's place on this thread. */
class Seat<S extends MediaSession<C>, C extends MediaContract> implements SessionPort<S, C> {
  readonly sessionId: string;
  readonly index: number;
  readonly #loop: MediaLoop<S, C>;
  /** The session is gone, and its place and sockets may be another's: whoever still holds this port moves nothing with it. */
  left = false;

  constructor(loop: MediaLoop<S, C>, sessionId: string, index: number) {
    this.#loop = loop;
    this.sessionId = sessionId;
    this.index = index;
  }

  socket(role: number): number {
    return this.left ? NO_SOCKET : this.#loop.sockets.get(this.index, role);
  }

  send(role: number, offset: number, length: number, to: AddressWords): boolean {
    const socket = this.socket(role);
    return socket !== NO_SOCKET && this.#loop.io.send(socket, offset, length, to);
  }

  queue(role: number, offset: number, length: number, to: AddressWords): void {
    const socket = this.socket(role);
    if (socket !== NO_SOCKET) this.#loop.io.queue(socket, offset, length, to);
  }

  setDeadline(dueUs: number): void {
    if (this.left) return;
    if (dueUs === Infinity) this.#loop.timers.cancel(this.index);
    else this.#loop.timers.set(this.index, Math.ceil(dueUs / DEADLINE_GRAIN_US) * DEADLINE_GRAIN_US);
  }

  setFrames(on: boolean): void {
    if (this.left) return;
    if (on) this.#loop.frames.add(this.index);
    else this.#loop.frames.remove(this.index);
  }

  emit(event: C['event'], transfer?: ArrayBuffer[]): void {
    this.#loop.post({ type: 'event', sessionId: this.sessionId, event }, transfer);
  }

  peer(sessionId: string): S | undefined {
    return this.#loop.find(sessionId);
  }
}

/**
 * All of a media thread's work as one pass function: datagrams in, due timers, datagrams out; and the commands of its
 * mailbox. It knows no clock and does not wait: a driver does that. A session that throws ends alone.
 */
export class MediaLoop<S extends MediaSession<C>, C extends MediaContract> {
  readonly io: PacketIo;
  readonly post: Post<C>;
  readonly timers: TimerWheel;
  readonly frames: FrameClock;
  readonly sockets = new RoleSockets();
  stopping = false;
  readonly #thread: MediaThread;
  readonly #program: MediaProgram<S, C>;
  readonly #seats: (Seat<S, C> | null)[] = [];
  /** The sessions of the seats again: a datagram goes straight to its own. */
  readonly #sessions: (S | null)[] = [];
  readonly #freeIndices: number[] = [];
  readonly #byId = new Map<string, Seat<S, C>>();
  #sessionFailures = 0;
  #commands = 0;
  #passes = 0;
  #nowUs = 0;
  #wallClockDueUs = 0;

  constructor(thread: MediaThread, program: MediaProgram<S, C>, post: Post<C>, nowUs: number) {
    this.io = thread.io;
    this.#thread = thread;
    this.#program = program;
    this.post = post;
    this.timers = new TimerWheel(nowUs);
    this.frames = new FrameClock(nowUs);
  }

  /** Serves the batch that `io.receive` filled, then what is due. */
  pass(nowUs: number): void {
    const { batch } = this.io;
    this.#nowUs = nowUs;
    for (let i = 0; i < batch.count; i += 1) {
      const tag = batch.tag[i];
      const index = (tag / MAX_ROLES) | 0;
      const session = this.#sessions[index];
      if (!session) continue;
      try {
        session.onDatagram(i, tag % MAX_ROLES, nowUs);
      } catch (error) {
        this.#fail(index, error);
      }
    }
    this.io.flush();
    this.timers.advance(nowUs, this.#onDeadline);
    this.frames.advance(nowUs, this.#onFrame);
    this.#passes += 1;
    if (nowUs >= this.#wallClockDueUs) {
      this.#wallClockDueUs = nowUs + WALL_CLOCK_INTERVAL_US;
      this.#thread.unixOffsetUs = followWallClock(this.#thread.unixOffsetUs, nowUs);
    }
  }

  /** When the next pass has to run even if no datagram comes. */
  nextDueUs(nowUs: number): number {
    return Math.min(this.timers.nextDueUs(nowUs, IDLE_WAIT_US), this.frames.nextDueUs(nowUs, IDLE_WAIT_US));
  }

  find(sessionId: string): S | undefined {
    const seat = this.#byId.get(sessionId);
    return (seat && this.#sessions[seat.index]) ?? undefined;
  }

  /** Carries out one message of the mailbox and answers it. Only dgram attaches asynchronously, and then answers later. */
  handle(message: ToThread<C>, nowUs: number): void {
    this.#commands += 1;
    if (message.type === 'stop') {
      this.stopping = true;
      return;
    }
    try {
      const outcome = this.#carryOut(message, nowUs);
      if (outcome instanceof Promise) {
        outcome.then(
          (value) => this.post({ type: 'reply', call: message.call, value }),
          (error: unknown) => this.#refuse(message.call, error),
        );
      } else {
        this.post({ type: 'reply', call: message.call, value: outcome });
      }
    } catch (error) {
      this.#refuse(message.call, error);
    }
  }

  writeCounters(counters: SharedCounters<ThreadCounter>, nowUs: number, coalescedWaits: number): void {
    const { values } = counters;
    const io = this.io.counters;
    // The order of THREAD_COUNTERS.
    values[0] = nowUs / 1000;
    values[1] = this.#passes;
    values[2] = io.received;
    values[3] = io.receivedBytes;
    values[4] = io.sent;
    values[5] = io.sentBytes;
    values[6] = io.sendWouldBlock;
    values[7] = io.sendRefused;
    values[8] = io.sendTooBig;
    values[9] = io.sendFailed;
    values[10] = io.receiveFailed;
    values[11] = io.truncated;
    values[12] = io.backlogs;
    values[13] = this.frames.skipped;
    values[14] = this.#sessionFailures;
    values[15] = this.#byId.size;
    values[16] = coalescedWaits;
    values[17] = this.#commands;
    values[18] = io.gsoRefused;
    values[19] = io.overflowed;
  }

  readonly #onDeadline = (index: number): void => {
    const session = this.#sessions[index];
    if (!session) return;
    try {
      session.onDeadline(this.#nowUs);
    } catch (error) {
      this.#fail(index, error);
    }
  };

  readonly #onFrame = (index: number, dueUs: number): void => {
    const session = this.#sessions[index];
    if (!session) return;
    try {
      session.onFrame(dueUs, this.#nowUs);
    } catch (error) {
      this.#fail(index, error);
    }
  };

  #carryOut(message: Exclude<ToThread<C>, { type: 'stop' }>, nowUs: number): unknown {
    switch (message.type) {
      case 'open':
        return this.#seated(message.sessionId, message.sockets, (seat) => {
          const { session, opened } = this.#program.open(seat, message.init, nowUs);
          this.#sessions[seat.index] = session;
          return opened;
        });
      case 'restore':
        return this.#seated(message.sessionId, message.sockets, (seat) => {
          this.#sessions[seat.index] = this.#program.restore(seat, message.snapshot, nowUs);
        });
      case 'command': {
        const { session } = this.#require(message.sessionId);
        return this.#program.commands[message.name](session, message.args, nowUs);
      }
      case 'attach': {
        const { seat } = this.#require(message.sessionId);
        return this.#attach(seat, [message.socket]);
      }
      case 'detach': {
        const { seat } = this.#require(message.sessionId);
        return this.#detach(seat, message.role);
      }
      case 'snapshot': {
        const { seat, session } = this.#require(message.sessionId);
        const snapshot = session.snapshot(nowUs);
        this.#unseat(seat);
        return snapshot;
      }
      case 'close': {
        const { seat, session } = this.#require(message.sessionId);
        try {
          return session.close(message.closing, nowUs);
        } finally {
          this.#unseat(seat);
        }
      }
    }
  }

  #seated(sessionId: string, sockets: readonly SessionSocket[], fill: (seat: Seat<S, C>) => unknown): unknown {
    const index = this.#freeIndices.pop() ?? this.#seats.length;
    const seat = new Seat<S, C>(this, sessionId, index);
    this.#seats[index] = seat;
    this.#sessions[index] = null;
    this.#byId.set(sessionId, seat);
    const orUnseat = <T>(work: () => T): T => {
      try {
        return work();
      } catch (error) {
        this.#unseat(seat);
        throw error;
      }
    };
    const attached = orUnseat(() => this.#attach(seat, sockets));
    if (!(attached instanceof Promise)) return orUnseat(() => fill(seat));
    return attached.then(
      () => orUnseat(() => fill(seat)),
      (error: unknown) => {
        this.#unseat(seat);
        throw error;
      },
    );
  }

  #attach(seat: Seat<S, C>, sockets: readonly SessionSocket[]): void | Promise<void> {
    const late: Promise<void>[] = [];
    for (const { role, handle } of sockets) {
      const socket = this.io.attach(handle, seat.index * MAX_ROLES + role);
      if (socket instanceof Promise) late.push(socket.then((bound) => this.#bound(seat, role, bound)));
      else this.sockets.set(seat.index, role, socket);
    }
    if (late.length === 0) return undefined;
    // All of them, even if one fails: a socket that is bound after its seat was given up would stay for good.
    return Promise.allSettled(late).then((outcomes) => {
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    });
  }

  #bound(seat: Seat<S, C>, role: number, socket: number): void {
    if (this.#seats[seat.index] === seat) this.sockets.set(seat.index, role, socket);
    else this.io.detach(socket);
  }

  #detach(seat: Seat<S, C>, role: number): void {
    const socket = seat.socket(role);
    if (socket !== NO_SOCKET) this.io.detach(socket);
    this.sockets.set(seat.index, role, NO_SOCKET);
  }

  #unseat(seat: Seat<S, C>): void {
    for (let role = 0; role < MAX_ROLES; role += 1) this.#detach(seat, role);
    this.timers.cancel(seat.index);
    this.frames.remove(seat.index);
    this.#sessions[seat.index] = null;
    this.#seats[seat.index] = null;
    this.#freeIndices.push(seat.index);
    this.#byId.delete(seat.sessionId);
    seat.left = true;
  }

  #require(sessionId: string): { seat: Seat<S, C>; session: S } {
    const seat = this.#byId.get(sessionId);
    const session = seat && this.#sessions[seat.index];
    if (!session) throw Object.assign(new Error(`no session ${sessionId}`), { code: 'no-such-session' });
    return { seat, session };
  }

  #fail(index: number, error: unknown): void {
    const seat = this.#seats[index];
    if (!seat) return;
    this.#sessionFailures += 1;
    try {
      this.#sessions[index]?.lost();
    } catch {
      // It is broken; what it threw first is what is reported.
    }
    this.#unseat(seat);
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.post({ type: 'session-failed', sessionId: seat.sessionId, message });
  }

  #refuse(call: number, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'command-failed';
    const message = error instanceof Error ? error.message : String(error);
    this.post({ type: 'failure', call, code, message });
  }
}
