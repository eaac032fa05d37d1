import type { AddressWords, PacketIo } from '@mediaplane/net';
import {
  GROUP_ID_BYTES,
  HandshakeType,
  SRTLA_TYPE_BYTES,
  SrtlaType,
  isSrtla,
  isWholeRegistration,
  parseHandshake,
  srtlaType,
  writeRegistration,
  writeTimedKeepalive,
} from '@mediaplane/srtla';
import { PROBE_BYTES, initialiseData, writeConclusion, writeData, writeInduction, DATA_BYTES } from './srt-probe.ts';

const RETRY_US = 250_000;
const KEEPALIVE_US = 1_000_000;
/** Socket ids of encoders: this plus the number of the group. */
const SOCKET_ID_BASE = 0x1000_0000;
/** Not the first of all, so that zeros are seen where they do not belong. */
const INITIAL_SEQUENCE = 1000;

/**
 * - `asking`: REG1 is out.
 * - `joining`: REG2 is out by every link that has not been let in.
 * - `inducing`, `concluding`: a handshake of SRT is out.
 */
type State = 'asking' | 'joining' | 'inducing' | 'concluding' | 'open';

/** One encoder, and the links of its bonding sender if that is played too. */
export class SourceGroup {
  state: State;
  readonly #io: PacketIo;
  readonly #number: number;
  readonly #sockets: readonly number[];
  readonly #to: AddressWords;
  readonly #scratch: number;
  readonly #isBonded: boolean;
  readonly #joined: boolean[];
  #id: Uint8Array;
  #askedUs = -Infinity;
  #keptAliveUs: number;
  #cookie = 0;
  #serverSocketId = 0;
  #turn = 0;
  #sequence = INITIAL_SEQUENCE;

  /** `sockets`: the encoder's one, or those of the links if `id` is given. `scratch`: PROBE_BYTES of the arena, this group's own. */
  constructor(
    io: PacketIo,
    number: number,
    sockets: readonly number[],
    to: AddressWords,
    scratch: number,
    id: Uint8Array | null,
    nowUs: number,
  ) {
    this.#io = io;
    this.#number = number;
    this.#sockets = sockets;
    this.#to = to;
    this.#scratch = scratch;
    this.#isBonded = id !== null;
    this.#id = id ?? new Uint8Array(GROUP_ID_BYTES);
    this.#joined = sockets.map(() => false);
    this.#keptAliveUs = nowUs;
    this.state = this.#isBonded ? 'asking' : 'inducing';
  }

  /** The next packet of the stream, sent at `nowUs`. Returns whether the kernel took it. */
  send(nowUs: number): boolean {
    writeData(this.#io.view, this.#scratch, this.#number, this.#sequence++, this.#serverSocketId, nowUs);
    this.#turn = (this.#turn + 1) % this.#sockets.length;
    return this.#io.send(this.#sockets[this.#turn], this.#scratch, DATA_BYTES, this.#to);
  }

  /** Asks again what was not answered, and keeps the links of an open group alive. */
  tick(nowUs: number): void {
    if (this.state === 'open') return this.#keepAlive(nowUs);
    if (nowUs - this.#askedUs < RETRY_US) return;
    this.#askedUs = nowUs;
    if (this.state === 'asking') this.#register(0, SrtlaType.reg1);
    else if (this.state === 'joining') this.#joinAll();
    else this.#shakeHands();
  }

  onDatagram(socket: number, offset: number, length: number): void {
    if (this.state === 'open') return;
    if (isSrtla(this.#io.view, offset, length)) this.#onRegistration(this.#sockets.indexOf(socket), offset, length);
    else this.#onHandshake(offset, length);
  }

  #onRegistration(link: number, offset: number, length: number): void {
    const type = srtlaType(this.#io.view, offset);
    if (type === SrtlaType.reg2 && this.state === 'asking' && isWholeRegistration(length)) {
      const at = offset + SRTLA_TYPE_BYTES;
      this.#id = this.#io.bytes.slice(at, at + GROUP_ID_BYTES);
      this.#enter('joining');
    } else if (type === SrtlaType.reg3 && this.state === 'joining') {
      this.#joined[link] = true;
      if (this.#joined.every(Boolean)) this.#enter('inducing');
    }
  }

  #onHandshake(offset: number, length: number): void {
    const answer = parseHandshake(this.#io.view, offset, length);
    if (answer === null) return;
    if (this.state === 'inducing' && answer.type === HandshakeType.induction) {
      this.#cookie = answer.cookie;
      this.#enter('concluding');
    } else if (this.state === 'concluding' && answer.type === HandshakeType.conclusion) {
      this.#serverSocketId = answer.socketId;
      initialiseData(this.#io.view, this.#scratch);
      this.state = 'open';
    }
  }

  #enter(state: State): void {
    this.state = state;
    this.#askedUs = -Infinity;
  }

  #joinAll(): void {
    this.#joined.forEach((joined, link) => {
      if (!joined) this.#register(link, SrtlaType.reg2);
    });
  }

  #register(link: number, type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2): void {
    const { bytes } = this.#io;
    const length = writeRegistration(bytes, this.#scratch, type, this.#id);
    this.#io.send(this.#sockets[link], this.#scratch, length, this.#to);
  }

  #shakeHands(): void {
    const socketId = SOCKET_ID_BASE + this.#number;
    const words = { destinationSocketId: 0, socketId, cookie: this.#cookie, initialSequence: INITIAL_SEQUENCE };
    const out = this.#io.bytes.subarray(this.#scratch, this.#scratch + PROBE_BYTES);
    const length =
      this.state === 'inducing'
        ? writeInduction(out, { ...words, cookie: 0 }, false)
        : writeConclusion(out, words, false);
    this.#io.send(this.#sockets[0], this.#scratch, length, this.#to);
  }

  #keepAlive(nowUs: number): void {
    if (!this.#isBonded || nowUs - this.#keptAliveUs < KEEPALIVE_US) return;
    this.#keptAliveUs = nowUs;
    // Behind the data packet's own bytes there is room.
    const at = this.#scratch + DATA_BYTES;
    const length = writeTimedKeepalive(this.#io.view, at, Math.ceil(nowUs / 1000));
    for (const socket of this.#sockets) this.#io.send(socket, at, length, this.#to);
  }
}
