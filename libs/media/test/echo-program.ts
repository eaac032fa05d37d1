import type { MediaContract, MediaProgram, MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { SocketAddress, SOURCE_WORDS } from '@mediaplane/net';

export interface EchoContract extends MediaContract {
  init: { greeting: string };
  opened: string;
  commands: {
    count: { args: null; result: { echoed: number; frames: number; thread: unknown } };
    frames: { args: boolean; result: null };
    deadline: { args: number; result: null };
    /** Throws in the command, in the next datagram, or in the thread itself; or spins for so many ms. */
    fail: { args: 'command' | 'datagram' | 'thread'; result: null };
    spin: { args: number; result: null };
    peerEchoed: { args: string; result: number };
  };
  event: { type: 'deadline'; latenessUs: number } | { type: 'digit'; value: number };
  snapshot: { echoed: number };
  closing: string;
  closed: { echoed: number; closing: string };
}

type Port = SessionPort<EchoSession, EchoContract>;

/** Sends every datagram back to where it came from. */
class EchoSession implements MediaSession<EchoContract> {
  echoed = 0;
  frames = 0;
  failing = false;
  dueUs = 0;
  readonly port: Port;
  readonly #thread: MediaThread;
  readonly #to = new SocketAddress();

  constructor(thread: MediaThread, port: Port) {
    this.#thread = thread;
    this.port = port;
  }

  onDatagram(index: number, role: number): void {
    if (this.failing) throw new Error('failing on request');
    const { batch } = this.#thread.io;
    const at = index * SOURCE_WORDS;
    const { source } = batch;
    this.#to.set(source[at], source[at + 1], source[at + 2], source[at + 3], source[at + 4]);
    this.port.send(role, batch.offset[index], batch.length[index], this.#to);
    this.echoed += 1;
    this.#thread.counters[0] += 1;
  }

  onFrame(): void {
    this.frames += 1;
  }

  onDeadline(nowUs: number): void {
    this.port.emit({ type: 'deadline', latenessUs: nowUs - this.dueUs });
  }

  snapshot(): EchoContract['snapshot'] {
    return { echoed: this.echoed };
  }

  close(closing: string): EchoContract['closed'] {
    return { echoed: this.echoed, closing };
  }

  lost(): void {
    // Nobody holds it.
  }
}

export function startProgram(thread: MediaThread): MediaProgram<EchoSession, EchoContract> {
  return {
    open: (port, init) => ({ session: new EchoSession(thread, port), opened: `${init.greeting} ${port.sessionId}` }),
    restore: (port, snapshot) => Object.assign(new EchoSession(thread, port), snapshot),
    commands: {
      count: ({ echoed, frames }) => ({ echoed, frames, thread: thread.options }),
      frames: ({ port }, on) => {
        port.setFrames(on);
        return null;
      },
      deadline: (session, inUs, nowUs) => {
        session.dueUs = nowUs + inUs;
        session.port.setDeadline(session.dueUs);
        return null;
      },
      fail: (session, where) => {
        if (where === 'command') throw new Error('refused on request');
        if (where === 'datagram') session.failing = true;
        // Outside any session's turn: nothing catches this, the thread dies.
        if (where === 'thread') process.exit(3);
        return null;
      },
      spin: (_, durationMs) => {
        const endMs = Date.now() + durationMs;
        while (Date.now() < endMs);
        return null;
      },
      peerEchoed: ({ port }, peer) => port.peer(peer)?.echoed ?? -1,
    },
  };
}
