import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { SENDER_HALF_BYTES, SrtKind, parseHandshake, srtKind } from '@mediaplane/srtla';
import type { Handshake } from '@mediaplane/srtla';
import type { Group, Link } from './group.ts';
import { RECEIVER_DEFAULTS } from './options.ts';
import type { ReceiverOptions } from './options.ts';
import type { ReceiverParts } from './receiver-parts.ts';
import { Receiver } from './receiver.ts';
import { ReplyMemory } from './reply-memory.ts';
import { FOREIGN, ISSUED, acceptance, conclusion, cookieAnswer, idOf, induction, reg2 } from './spec-packets.ts';

/** For the specs beside: a receiver with a clock of its own, and what its senders and servers see of it. */

export const SECOND = 1e6;
const BATCH = 64;
/** Where received datagrams lie. */
const INBOX = 8192;
const NET_10 = 0x0a000000;

/** The instance that the receiver is. */
export const OURS = 'ours';
/** ... and one that it is not. */
export const ANOTHER = 'another';

export interface BenchParts {
  readonly relay?: ReceiverParts['relay'];
  readonly instanceId?: string;
}

/** In these specs the receiver's half is one byte again and again, and says who issued it. */
function issuerOf(half: Uint8Array): string | null {
  if (half.every((byte) => byte === ISSUED)) return OURS;
  return half.every((byte) => byte === FOREIGN) ? ANOTHER : null;
}

export interface Sent {
  /** host:port */
  readonly to: string;
  readonly bytes: number[];
}

/** 10.0.0.0 and so many. */
export const addressOf = (host: number, port = 5000): SocketAddress =>
  new SocketAddress().set(0, 0, 0xffff, NET_10 + host, port);
const nameOf = ({ w3, port }: AddressWords): string => `${w3 - NET_10}:${port}`;

export function handshakeOf(bytes: readonly number[]): Handshake {
  const handshake = parseHandshake(new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length);
  if (handshake === null) throw new Error('no handshake');
  return handshake;
}

export class Bench {
  readonly receiver: Receiver;
  /** To the servers, by group. */
  readonly toServer: { readonly group: number; readonly bytes: number[] }[] = [];
  readonly events: string[] = [];
  nowUs = 100 * SECOND;
  readonly bytes = new Uint8Array(16_384);
  readonly memory = new ReplyMemory(0, BATCH);
  /** By the relay socket. */
  readonly relaySent: Sent[] = [];
  readonly #sent: Sent[] = [];

  constructor(options: Partial<ReceiverOptions> = {}, { relay = null, instanceId = OURS }: BenchParts = {}) {
    const { bytes, memory } = this;
    const slice = (offset: number, length: number): number[] => [...bytes.subarray(offset, offset + length)];
    const toServer = (group: Group, offset: number, length: number): void => {
      this.toServer.push({ group: group.index, bytes: slice(offset, length) });
    };
    const toLink = ({ address, relayedBy }: Link, offset: number, length: number): void => {
      (relayedBy === null ? this.#sent : this.relaySent).push({ to: nameOf(address), bytes: slice(offset, length) });
    };
    const tell = (text: string): void => {
      this.events.push(text);
    };
    this.receiver = new Receiver({
      options: { ...RECEIVER_DEFAULTS, ...options },
      bytes,
      view: new DataView(bytes.buffer),
      memory,
      seed: 42,
      ids: {
        issue: (id) => id.fill(ISSUED, SENDER_HALF_BYTES),
        issuer: (id) => issuerOf(id.subarray(SENDER_HALF_BYTES)),
        instanceId,
      },
      relay,
      output: {
        reply: (to, isRelayed, offset, length) => {
          (isRelayed ? this.relaySent : this.#sent).push({ to: nameOf(to), bytes: slice(offset, length) });
        },
        toLinkNow: toLink,
        toLink,
        toServer,
        toServerNow: toServer,
      },
      events: {
        groupUp: ({ index, isResumed }) => tell(`group ${index} ${isResumed ? 'resumed' : 'up'}`),
        foreignGroup: (_, issuer, from) => tell(`link ${nameOf(from)} of ${issuer}`),
        stranger: (from) => tell(`stranger ${nameOf(from)}`),
        linkUp: ({ origin, relayedBy, joinedLate }) =>
          tell(`link ${nameOf(origin)} up${relayedBy === null ? '' : ` by ${relayedBy}`}${joinedLate ? ' late' : ''}`),
        linkDown: ({ origin }, reason) => tell(`link ${nameOf(origin)} down: ${reason}`),
        lateLinkRefused: ({ index }, address) => tell(`link ${nameOf(address)} too late for ${index}`),
        ingestRequest: ({ index }, { request }, { streamId }) => tell(`group ${index} asks ${request}: ${streamId}`),
        ingestAccepted: ({ index }, { callerSocketId, latencyMs }, { streamId }) =>
          tell(`group ${index} accepted ${callerSocketId}: ${streamId}, ${latencyMs} ms`),
        ingestRefused: ({ index }, { streamId }, reason, by) =>
          tell(`group ${index} refused by ${by}: ${streamId}, ${reason}`),
        ingestUnanswered: ({ index }) => tell(`group ${index} unanswered`),
        ingestEnded: ({ index }, by) => tell(`group ${index} ended by ${by}`),
        groupDown: ({ index }, reason) => tell(`group ${index} down: ${reason}`),
      },
    });
  }

  /** A datagram from that address. Returns what goes out to links for it. */
  from(host: number, datagram: ArrayLike<number>, port = 5000): Sent[] {
    return this.fromAddress(addressOf(host, port), datagram);
  }

  fromAddress(address: AddressWords, datagram: ArrayLike<number>): Sent[] {
    return this.does(() => {
      this.bytes.set(datagram, INBOX);
      this.receiver.onLinkDatagram(INBOX, datagram.length, address, this.nowUs);
    });
  }

  /** A datagram to the relay socket. Returns what goes out by that for it. */
  fromRelay(address: AddressWords, datagram: ArrayLike<number>): Sent[] {
    const before = this.relaySent.length;
    this.bytes.set(datagram, INBOX);
    this.receiver.onRelayDatagram(INBOX, datagram.length, address, this.nowUs);
    return this.relaySent.slice(before);
  }

  fromServer(group: Group, datagram: ArrayLike<number>): Sent[] {
    return this.does(() => {
      this.bytes.set(datagram, INBOX);
      this.receiver.onServerDatagram(group, INBOX, datagram.length, this.nowUs);
    });
  }

  /** Lets time pass. Returns what goes out meanwhile. */
  wait(us: number): Sent[] {
    return this.does(() => {
      for (const untilUs = this.nowUs + us; this.nowUs < untilUs;) {
        this.nowUs = Math.min(Math.max(this.receiver.nextDueUs, this.nowUs), untilUs);
        this.receiver.onDeadline(this.nowUs);
      }
    });
  }

  /** What goes out to links while `work` is done. */
  does(work: () => void): Sent[] {
    const before = this.#sent.length;
    work();
    return this.#sent.slice(before);
  }

  /** What has gone to the servers since this was asked last. */
  takeToServer(): number[][] {
    return this.toServer.splice(0).map(({ bytes }) => bytes);
  }

  /** A group with these links; the sender chooses its half of the id. */
  register(sender: number, ...hosts: number[]): Group {
    for (const host of hosts) this.from(host, reg2(idOf(sender)));
    return this.groupOf(hosts[0]);
  }

  groupOf(host: number): Group {
    for (const group of this.receiver.groups.values()) {
      if (group.links.some(({ address }) => address.equals(addressOf(host)))) return group;
    }
    throw new Error(`no group has link ${host}`);
  }

  /** As `register`, and its SRT session stands, the encoder's end at `socketId`; without a word in `toServer`. */
  accepted(sender: number, socketId: number, ...hosts: number[]): Group {
    const group = this.register(sender, ...hosts);
    this.shakeHands(group, hosts[0], socketId);
    return group;
  }

  /** With `ingest: 'pass'`. */
  shakeHands(group: Group, host: number, socketId: number, streamId?: string): void {
    this.from(host, induction(socketId));
    this.fromServer(group, cookieAnswer(socketId));
    this.from(host, conclusion(socketId, streamId === undefined ? {} : { streamId }));
    this.fromServer(group, acceptance(socketId));
    this.toServer.length = 0;
  }
}

/** What kinds of SRT these are. */
export const kindsOf = (datagrams: readonly number[][]): string[] =>
  datagrams.map((bytes) => {
    const kind = srtKind(new DataView(Uint8Array.from(bytes).buffer), 0, bytes.length);
    return Object.entries(SrtKind).find(([, value]) => value === kind)?.[0] ?? '';
  });
