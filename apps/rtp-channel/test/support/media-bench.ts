import type { MediaProgram, MediaThread, SessionPort } from '@mediaplane/media';
import { SOURCE_WORDS, type PacketBatch, type PacketIo } from '@mediaplane/net';
import { writeRtpHeader } from '@mediaplane/rtp';
import type { ChannelSession } from '../../src/media/channel-session.ts';
import {
  CHANNEL_COUNTERS,
  Role,
  type AddressWords,
  type ChannelContract,
  type ChannelMediaEvent,
  type MediaSettings,
} from '../../src/media/contract.ts';
import { startProgram } from '../../src/media/program.ts';

const ARENA_BYTES = 1 << 16;
const PACKET_AT = 4096;
export const FRAME_US = 20_000;

export interface SentPacket {
  readonly atUs: number;
  readonly from: string;
  readonly role: number;
  readonly to: AddressWords;
  readonly bytes: Buffer;
}

export const address = (lastByte: number, port: number): AddressWords => ({
  w0: 0,
  w1: 0,
  w2: 0xffff,
  w3: 0x0a000000 | lastByte,
  port,
});

export const settings: MediaSettings = {
  remoteRtp: address(1, 4000),
  remoteRtcp: address(1, 4001),
  formats: {
    send: { payloadType: 0, codec: 'PCMU', ptimeMs: 20 },
    sendDtmfPayloadType: 101,
    receive: [
      { payloadType: 0, codec: 'PCMU', ptimeMs: 20 },
      { payloadType: 8, codec: 'PCMA', ptimeMs: 20 },
    ],
    receiveDtmfPayloadTypes: [101],
  },
  sends: true,
  receives: true,
  echo: false,
  latchMode: 'learn-once',
  latchWindowMs: 3000,
  rtpTimeoutMs: 20_000,
  noRemoteTimeoutMs: 3_600_000,
  holdTimeoutMs: 7_200_000,
};

/** A port whose clock, sockets and frames the bench turns by hand. */
class BenchPort implements SessionPort<ChannelSession, ChannelContract> {
  readonly sessionId: string;
  readonly #bench: MediaBench;
  readonly #sockets = new Map<number, number>();
  dueUs = Infinity;
  frames = false;

  constructor(bench: MediaBench, sessionId: string) {
    this.#bench = bench;
    this.sessionId = sessionId;
  }

  socket(role: number): number {
    const socket = this.#sockets.get(role) ?? this.#bench.addSocket(this.sessionId, role);
    this.#sockets.set(role, socket);
    return socket;
  }

  send(role: number, offset: number, length: number, to: AddressWords): boolean {
    return this.#bench.io.send(this.socket(role), offset, length, to);
  }

  queue(role: number, offset: number, length: number, to: AddressWords): void {
    this.#bench.io.queue(this.socket(role), offset, length, to);
  }

  setDeadline(dueUs: number): void {
    this.dueUs = dueUs;
  }

  setFrames(on: boolean): void {
    this.frames = on;
  }

  emit(event: ChannelMediaEvent): void {
    this.#bench.events.push({ ...event, from: this.sessionId });
  }

  peer(sessionId: string): ChannelSession | undefined {
    return this.#bench.sessions.get(sessionId);
  }
}

/** The media program on a virtual clock, without sockets or threads: packets in by hand, packets out in a list. */
export class MediaBench {
  nowUs = 1_000_000;
  readonly sent: SentPacket[] = [];
  readonly events: (ChannelMediaEvent & { from: string })[] = [];
  readonly sessions = new Map<string, ChannelSession>();
  readonly ports = new Map<string, BenchPort>();
  readonly io: PacketIo;
  readonly program: MediaProgram<ChannelSession, ChannelContract>;
  readonly counters = new Float64Array(CHANNEL_COUNTERS.length);
  readonly #sockets: { sessionId: string; role: number }[] = [];
  #reserved = 0;

  constructor() {
    const buffer = new ArrayBuffer(ARENA_BYTES);
    const batch: PacketBatch = {
      count: 1,
      offset: new Int32Array([PACKET_AT]),
      length: new Int32Array(1),
      tag: new Int32Array(1),
      source: new Int32Array(SOURCE_WORDS),
    };
    const io: Pick<PacketIo, 'bytes' | 'view' | 'batch' | 'reserve' | 'send' | 'queue' | 'failedSends'> = {
      bytes: new Uint8Array(buffer),
      view: new DataView(buffer),
      batch,
      reserve: (byteLength) => {
        const at = this.#reserved;
        this.#reserved += byteLength;
        return at;
      },
      send: (socket, offset, length, { w0, w1, w2, w3, port }) => {
        const { sessionId, role } = this.#sockets[socket];
        const bytes = Buffer.from(this.io.bytes.slice(offset, offset + length));
        this.sent.push({ atUs: this.nowUs, from: sessionId, role, to: { w0, w1, w2, w3, port }, bytes });
        return true;
      },
      queue: (...args) => void io.send(...args),
      failedSends: () => 0,
    };
    this.io = io as PacketIo;
    const thread: MediaThread = { io: this.io, unixOffsetUs: 1.7e15, counters: this.counters, options: null };
    this.program = startProgram(thread);
  }

  addSocket(sessionId: string, role: number): number {
    return this.#sockets.push({ sessionId, role }) - 1;
  }

  open(sessionId: string, overrides: Partial<MediaSettings> = {}): ChannelSession {
    const port = new BenchPort(this, sessionId);
    const { session } = this.program.open(
      port,
      {
        settings: { ...settings, ...overrides },
        ssrc: 0x1111_0000 + this.sessions.size,
        firstSequence: 65_530,
        firstTimestamp: 5000,
        seed: 42,
        cname: 'bench',
      },
      this.nowUs,
    );
    this.sessions.set(sessionId, session);
    this.ports.set(sessionId, port);
    return session;
  }

  /** Carries a session over as a move between threads does. */
  move(sessionId: string): ChannelSession {
    const snapshot = structuredClone(this.sessions.get(sessionId)?.snapshot());
    if (!snapshot) throw new Error(`no session ${sessionId}`);
    const port = new BenchPort(this, sessionId);
    const session = this.program.restore(port, snapshot, this.nowUs);
    this.sessions.set(sessionId, session);
    this.ports.set(sessionId, port);
    return session;
  }

  command<K extends keyof ChannelContract['commands']>(
    sessionId: string,
    name: K,
    args: ChannelContract['commands'][K]['args'],
  ): ChannelContract['commands'][K]['result'] {
    const session = this.sessions.get(sessionId);
    if (!session) throw new Error(`no session ${sessionId}`);
    return this.program.commands[name](session, args, this.nowUs);
  }

  /** A datagram comes in. */
  datagram(sessionId: string, role: number, bytes: Uint8Array, from: AddressWords): void {
    const { batch } = this.io;
    this.io.bytes.set(bytes, PACKET_AT);
    batch.length[0] = bytes.length;
    batch.source.set([from.w0, from.w1, from.w2, from.w3, from.port]);
    this.sessions.get(sessionId)?.onDatagram(0, role, this.nowUs);
  }

  rtp(sessionId: string, packet: Partial<RtpPacket> = {}): void {
    const { from, ...rest } = { ...defaultPacket, ...packet };
    this.datagram(sessionId, Role.rtp, rtpBytes(rest), from);
  }

  /** Time passes in steps of a millisecond: deadlines and frames run as their ports ask. */
  pass(durationUs: number): void {
    const endUs = this.nowUs + durationUs;
    while (this.nowUs < endUs) {
      this.nowUs = Math.min(this.nowUs + 1000, endUs);
      for (const [sessionId, session] of this.sessions) {
        const port = this.ports.get(sessionId);
        if (!port) continue;
        if (port.dueUs <= this.nowUs) {
          port.dueUs = Infinity;
          session.onDeadline(this.nowUs);
        }
        if (port.frames && this.nowUs % FRAME_US === 0) session.onFrame(this.nowUs, this.nowUs);
      }
    }
  }

  /** RTP that a session has sent to its peer, parsed by hand. */
  rtpFrom(sessionId: string): ParsedRtp[] {
    return this.sent.filter(({ from, role }) => from === sessionId && role === Role.rtp).map(parse);
  }

  eventsOf<T extends ChannelMediaEvent['type']>(type: T): Extract<ChannelMediaEvent, { type: T }>[] {
    return this.events.filter((event) => event.type === type) as unknown as Extract<ChannelMediaEvent, { type: T }>[];
  }
}

export interface RtpPacket {
  payloadType: number;
  marker: boolean;
  sequence: number;
  timestamp: number;
  ssrc: number;
  payload: Uint8Array;
  from: AddressWords;
}

const defaultPacket: RtpPacket = {
  payloadType: 0,
  marker: false,
  sequence: 1,
  timestamp: 160,
  ssrc: 0xabcd,
  payload: new Uint8Array(160).fill(0x55),
  from: address(1, 4000),
};

export function rtpBytes(packet: Omit<RtpPacket, 'from'>): Uint8Array {
  const bytes = new Uint8Array(12 + packet.payload.length);
  const view = new DataView(bytes.buffer);
  const { payloadType, marker, sequence, timestamp, ssrc } = packet;
  writeRtpHeader(view, 0, payloadType, marker, sequence & 0xffff, timestamp, ssrc);
  bytes.set(packet.payload, 12);
  return bytes;
}

export interface ParsedRtp {
  readonly atUs: number;
  readonly to: AddressWords;
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

function parse({ atUs, to, bytes }: SentPacket): ParsedRtp {
  return {
    atUs,
    to,
    payloadType: bytes[1] & 0x7f,
    marker: bytes[1] >= 0x80,
    sequence: bytes.readUInt16BE(2),
    timestamp: bytes.readUInt32BE(4),
    ssrc: bytes.readUInt32BE(8),
    payload: bytes.subarray(12),
  };
}
