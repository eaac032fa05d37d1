import { SocketAddress } from '@mediaplane/net';
import {
  AckBatch,
  ExtensionType,
  GROUP_ID_BYTES,
  HANDSHAKE_BYTES,
  HandshakeType,
  REGISTRATION_BYTES,
  SRT_HEADER_BYTES,
  SRT_MAGIC,
  SrtControlType,
  SrtlaType,
  dataSequence,
  isSrtData,
  isSrtla,
  srtlaType,
  writeControlHeader,
  writeHandshakeFields,
  writeReply,
} from '@mediaplane/srtla';
import { LINK_DEFAULTS } from './link-settings.ts';
import type { LinkSettings } from './link-settings.ts';
import type { SchedulingMode } from './options.ts';
import { PacketRing } from './packet-ring.ts';
import { Sender } from './sender.ts';
import { Agenda } from './spec-agenda.ts';

export const SECOND = 1e6;
export const MS = 1000;
const INBOX = 4096;
const RING = 16_384;
const MAX_BITRATE_BPS = 10e6;
export const ENCODER = new SocketAddress().set(0, 0, 0xffff, 0x7f000001, 9000);

/** How a link carries datagrams. */
export interface Wire {
  /** One way. */
  delayUs: number;
  /** Nothing arrives there; nothing comes back. */
  cut: boolean;
  deaf: boolean;
  /** Share of the datagrams that are lost on the way there. */
  loss: number;
  /** On the way there; 0: without end. A queue of `queueUs` before it. */
  rateBps: number;
  queueUs: number;
  /** The kernel refuses to send. */
  refusing: boolean;
  /** When the last datagram of the queue has left. */
  busyUntilUs: number;
}

/** A sender, the links to a receiver that does as B's does, an encoder and an SRT server at the ends; on a clock of its own. */
export class World {
  nowUs = 1000 * SECOND;
  readonly wires: Wire[];
  readonly sender: Sender;
  readonly events: string[] = [];
  readonly toEncoder: Uint8Array[] = [];
  readonly arrived: { link: number; sequence: number; isAgain: boolean; atUs: number }[] = [];
  /** What else the SRT server got. */
  readonly controls: number[] = [];
  /** By link, the keepalives that came. */
  readonly keepalives: Uint8Array[][];
  /** Told of every SRT data packet at the server, and every datagram at the encoder. */
  onData: (sequence: number, atUs: number) => void = () => undefined;
  onAnswer: (bytes: Uint8Array) => void = () => undefined;
  receiver = { knows: true, acknowledges: true, refuses: 0, groups: new Set<string>() };
  readonly #agenda = new Agenda();
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #registered = new Map<number, AckBatch>();
  #freshest = 0;
  #ids = 0;
  #random = 12345;
  #stamp = 0;
  #socketId = 0;

  constructor(links = 2, mode: SchedulingMode = 'classic') {
    this.#bytes = new Uint8Array(RING + PacketRing.bytesFor(MAX_BITRATE_BPS));
    this.#view = new DataView(this.#bytes.buffer);
    this.wires = [];
    this.keepalives = [];
    const { events } = this;
    this.sender = new Sender({
      options: { mode, maxBitrateBps: MAX_BITRATE_BPS },
      bytes: this.#bytes,
      view: this.#view,
      scratch: 0,
      ring: RING,
      output: {
        control: ({ index }, offset, length) => this.#toReceiver(index, offset, length),
        toReceiver: ({ index }, offset, length) => this.#toReceiver(index, offset, length),
        toEncoder: (offset, length) => {
          const answer = this.#bytes.slice(offset, offset + length);
          this.toEncoder.push(answer);
          this.#agenda.add(this.nowUs, () => this.onAnswer(answer));
        },
      },
      events: {
        registered: () => events.push('registered'),
        linkUp: ({ index }) => events.push(`link ${index} up`),
        linkDown: ({ index }, reason) => events.push(`link ${index} down: ${reason}`),
        linkRefused: ({ index }, forGood) => events.push(`link ${index} refused${forGood ? ' for good' : ''}`),
        linkWeak: ({ index }, reason) => events.push(`link ${index} weak: ${reason}`),
        linkStrong: ({ index }) => events.push(`link ${index} strong`),
        failover: ({ index }) => events.push(`link ${index} suspect`),
        recovered: ({ index }) => events.push(`link ${index} back`),
        capReached: ({ index }) => events.push(`link ${index} at its cap`),
        encoderUp: ({ latencyMs, streamId }) => events.push(`encoder up: ${latencyMs} ms, ${streamId}`),
        encoderDown: (reason) => events.push(`encoder down: ${reason}`),
        noLink: () => events.push('no link'),
      },
      newId: () => new Uint8Array(GROUP_ID_BYTES).fill(++this.#ids),
    });
    for (let link = 0; link < links; link += 1) this.addLink(link);
  }

  addLink(index: number, settings: Partial<LinkSettings> = {}): void {
    this.sender.addLink(index, { ...LINK_DEFAULTS, ...settings });
    this.wires[index] = {
      delayUs: 20 * MS,
      cut: false,
      deaf: false,
      loss: 0,
      rateBps: 0,
      queueUs: 0,
      refusing: false,
      busyUntilUs: 0,
    };
    this.keepalives[index] = [];
    this.sender.openPath(index, this.nowUs);
  }

  /** Lets time go by, in order of what falls due. */
  run(us: number): void {
    for (const until = this.nowUs + us; ;) {
      const at = Math.max(Math.min(this.#agenda.nextUs, this.sender.nextDueUs), this.nowUs);
      if (at > until) {
        this.nowUs = until;
        return;
      }
      this.nowUs = at;
      if (this.#agenda.nextUs <= at) this.#agenda.take().deliver();
      this.sender.onDeadline(at);
    }
  }

  at(dueUs: number, what: () => void): void {
    this.#agenda.add(dueUs, what);
  }

  /** Something that the encoder sends, first of all a handshake. */
  fromEncoder(datagram: Uint8Array, from = ENCODER): void {
    this.sender.onEncoderDatagram(INBOX, this.#put(datagram), from, this.nowUs);
  }

  /** The handshake of an encoder, as far as this end's conclusion, and the server's if it is to answer. */
  shakeHands(socketId: number, latencyMs: number, from = ENCODER): void {
    this.#socketId = socketId;
    this.fromEncoder(conclusion(socketId, 0, ExtensionType.hsRequest, latencyMs), from);
  }

  answerHandshake(latencyMs: number): void {
    this.#toLink(this.#freshest, conclusion(1, this.#socketId, ExtensionType.hsResponse, latencyMs));
  }

  refuseHandshake(reason: number): void {
    this.#toLink(this.#freshest, conclusion(1, this.#socketId, ExtensionType.hsResponse, 0, reason));
  }

  send(sequence: number, flags = 0, byteLength = 200): void {
    if (!this.sender.encoder.isSet) this.shakeHands(77, 0);
    const packet = new Uint8Array(byteLength);
    const view = new DataView(packet.buffer);
    view.setUint32(0, sequence);
    view.setUint8(4, flags);
    this.fromEncoder(packet);
  }

  /** From the SRT server: acknowledgements and loss reports by all links, the rest by the one that brought data last. */
  answer(type: number, words: readonly number[], socketId = this.#socketId): void {
    const packet = new Uint8Array(SRT_HEADER_BYTES + words.length * 4);
    const view = new DataView(packet.buffer);
    writeControlHeader(view, 0, type, 1, ++this.#stamp, socketId);
    words.forEach((word, i) => view.setUint32(SRT_HEADER_BYTES + i * 4, word));
    const toAll = type === SrtControlType.ack || type === SrtControlType.nak;
    for (const link of this.#registered.keys()) if (toAll || link === this.#freshest) this.#toLink(link, packet);
  }

  acknowledge(below: number): void {
    this.answer(SrtControlType.ack, [below, 0, 0, 0, 0, 0, 0]);
  }

  nak(...words: number[]): void {
    this.answer(SrtControlType.nak, words);
  }

  /** The receiver's process starts anew; with its key it still knows its ids. */
  restartReceiver(withKey: boolean): void {
    this.receiver.knows = withKey;
    this.receiver.groups.clear();
    this.#registered = new Map();
  }

  /** A datagram of the receiver that nobody has asked for. */
  reply(link: number, datagram: Uint8Array): void {
    this.#toLink(link, datagram);
  }

  /** What arrived, each once, in order. */
  whole(): number[] {
    return [...new Set(this.arrived.map(({ sequence }) => sequence))].toSorted((a, b) => a - b);
  }

  /** The stream of an encoder, and the server's acknowledgements each 10 ms: 1000 packets a second. */
  stream(first: number, packets: number): void {
    for (let i = 0; i < packets; i += 1) {
      this.send(first + i);
      this.run(MS);
      if (i % 10 !== 9) continue;
      const got = new Set(this.whole());
      let next = 0;
      while (got.has(next)) next += 1;
      this.acknowledge(next);
    }
  }

  random(): number {
    this.#random = (Math.imul(this.#random, 1103515245) + 12345) & 0x7fffffff;
    return this.#random / 0x80000000;
  }

  #put(datagram: Uint8Array): number {
    this.#bytes.set(datagram, INBOX);
    return datagram.length;
  }

  #toReceiver(link: number, offset: number, length: number): void {
    const wire = this.wires[link];
    if (wire.refusing) {
      this.at(this.nowUs, () => this.sender.onSendFailures(this.sender.links[link], 1, this.nowUs));
      return;
    }
    let dueUs = this.nowUs + wire.delayUs;
    if (wire.rateBps > 0) {
      const startUs = Math.max(wire.busyUntilUs, this.nowUs);
      if (startUs - this.nowUs > wire.queueUs) return;
      wire.busyUntilUs = startUs + (length * 8e6) / wire.rateBps;
      dueUs = wire.busyUntilUs + wire.delayUs;
    }
    if (this.random() < wire.loss) return;
    const datagram = this.#bytes.slice(offset, offset + length);
    this.at(dueUs, () => {
      if (!wire.cut) this.#onReceived(link, datagram);
    });
  }

  #toLink(link: number, datagram: Uint8Array): void {
    const wire = this.wires[link];
    this.at(this.nowUs + wire.delayUs, () => {
      const target = this.sender.links.find(({ index }) => index === link);
      if (wire.deaf || target === undefined || !target.hasPath) return;
      this.sender.onLinkDatagram(target, INBOX, this.#put(datagram), this.nowUs);
    });
  }

  #onReceived(link: number, datagram: Uint8Array): void {
    const view = new DataView(datagram.buffer);
    if (!isSrtla(view, 0, datagram.length)) return this.#onSrt(link, view, datagram);
    const type = srtlaType(view, 0);
    if (type === SrtlaType.keepalive) {
      this.keepalives[link].push(datagram);
      if (this.#registered.has(link)) this.#toLink(link, datagram);
    } else if (this.receiver.refuses !== 0) {
      const reply = new Uint8Array(32);
      new DataView(reply.buffer).setUint16(0, this.receiver.refuses);
      this.#toLink(link, reply);
    } else if (type === SrtlaType.reg1) {
      const reply = datagram.slice(0, REGISTRATION_BYTES);
      new DataView(reply.buffer).setUint16(0, SrtlaType.reg2);
      reply.fill(0x77, REGISTRATION_BYTES - GROUP_ID_BYTES / 2);
      this.#toLink(link, reply);
    } else {
      this.#onReg2(link, datagram);
    }
  }

  #onReg2(link: number, datagram: Uint8Array): void {
    const reply = new Uint8Array(32);
    const isOurs = this.receiver.knows && datagram[REGISTRATION_BYTES - 1] === 0x77;
    if (isOurs) {
      this.receiver.groups.add(datagram.subarray(2).join());
      this.#registered.set(link, new AckBatch());
    }
    this.#toLink(link, reply.subarray(0, writeReply(reply, 0, isOurs ? SrtlaType.reg3 : SrtlaType.regNoGroup, true)));
  }

  #onSrt(link: number, view: DataView, datagram: Uint8Array): void {
    const acks = this.#registered.get(link);
    if (acks === undefined) return;
    this.#freshest = link;
    if (!isSrtData(view, 0, datagram.length)) {
      this.controls.push(view.getUint16(0));
      return;
    }
    const sequence = dataSequence(view, 0);
    this.arrived.push({ link, sequence, isAgain: (datagram[4] & 4) !== 0, atUs: this.nowUs });
    this.onData(sequence, this.nowUs);
    if (!acks.add(sequence)) return;
    const ack = new Uint8Array(44);
    acks.write(new DataView(ack.buffer), 0);
    if (this.receiver.acknowledges) this.#toLink(link, ack);
  }
}

/** `type`: another than a conclusion's is the reason of a rejection. */
function conclusion(
  socketId: number,
  destination: number,
  extension: number,
  latencyMs: number,
  type: number = HandshakeType.conclusion,
): Uint8Array {
  const OPTIONS_WORDS = 3;
  const packet = new Uint8Array(HANDSHAKE_BYTES + 4 + OPTIONS_WORDS * 4);
  writeHandshakeFields(packet, {
    timestampUs: 0,
    destinationSocketId: destination,
    version: 5,
    encryption: 0,
    extensionField: SRT_MAGIC & 1,
    initialSequence: 0,
    mtuBytes: 1500,
    flowWindowPackets: 8192,
    type,
    socketId,
    cookie: 0,
    peerAddress: new Uint8Array(16),
  });
  const view = new DataView(packet.buffer);
  view.setUint16(HANDSHAKE_BYTES, extension);
  view.setUint16(HANDSHAKE_BYTES + 2, OPTIONS_WORDS);
  view.setUint16(HANDSHAKE_BYTES + 4 + 8, latencyMs);
  view.setUint16(HANDSHAKE_BYTES + 4 + 10, latencyMs);
  return packet;
}
