import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { AckBatch } from '@mediaplane/srtla';
import type { LinkTelemetry } from '@mediaplane/srtla';
import { IngestBudget } from './ingest-state.ts';
import type { IngestAttempt, RememberedRefusal, SrtStream } from './ingest-state.ts';
import { InterarrivalJitter } from './interarrival-jitter.ts';
import type { RelayPeer } from '../relay/relay-gate.ts';

/** One path of a group: an address that its sender sends from. */
export class Link {
  readonly group: Group;
  /** Place in the registry's list of links. */
  readonly index: number;
  /** Where its datagrams come from, and answers go: its sender, or the socket of an instance that relays. */
  readonly address: SocketAddress;
  /** Where its sender sends from. */
  readonly origin: SocketAddress;
  /** It comes by the relay socket; from this instance. */
  readonly relayedBy: string | null;
  /** The SRT session stood already when it came. */
  readonly joinedLate: boolean;
  /** Its datagrams came by this way all at once, and no id with them: where they come from is no proof of whose they are. */
  readonly wasFound: boolean;
  readonly upUs: number;
  readonly acks = new AckBatch();
  readonly jitter = new InterarrivalJitter();
  /** Anything from it, keepalives too. */
  heardUs: number;
  /** SRT from it: answers go where the stream comes from. */
  deliveredUs: number;
  /** A copy of an acknowledgement was sent to it. */
  ackCopiedUs = -Infinity;
  packets = 0;
  bytes = 0;
  /** What its sender said of it; null until it has. */
  telemetry: LinkTelemetry | null = null;

  constructor(
    group: Group,
    index: number,
    address: AddressWords,
    peer: RelayPeer | undefined,
    joinedLate: boolean,
    wasFound: boolean,
    nowUs: number,
  ) {
    this.group = group;
    this.index = index;
    this.address = new SocketAddress().copyFrom(address);
    this.origin = peer === undefined ? this.address : new SocketAddress().copyFrom(peer.origin);
    this.relayedBy = peer === undefined ? null : peer.instanceId;
    this.joinedLate = joinedLate;
    this.wasFound = wasFound;
    this.upUs = nowUs;
    this.heardUs = nowUs;
    this.deliveredUs = nowUs;
  }
}

/** What a group has carried since it is up; GroupStatistics of the contract says what is what. */
export class GroupTally {
  packets = 0;
  bytes = 0;
  retransmitted = 0;
  notAccepted = 0;
  serverPackets = 0;
  serverBytes = 0;
  serverNotAccepted = 0;
  serverNaks = 0;
  serverNakPackets = 0;
}

/** The links of one sender, which carry one SRT connection. */
export class Group {
  /** Place in the registry's list of groups; another's when this one is over. */
  readonly index: number;
  /** Its own among all groups of the receiver, ever. */
  readonly serial: number;
  /** The whole id, as `groupKey` makes it. */
  readonly key: string;
  /** It was there before the process was started again. */
  readonly isResumed: boolean;
  readonly upUs: number;
  readonly links: Link[] = [];
  readonly tally = new GroupTally();
  /** The SRT session that its server has accepted: nothing but this one's packets pass. */
  stream: SrtStream | null = null;
  /** The handshake that is under way, beside a session that stands or without. */
  attempt: IngestAttempt | null = null;
  /** The last refusal by a verdict. */
  refusal: RememberedRefusal | null = null;
  readonly ingestBudget = new IngestBudget();
  readonly sessionBudget = new IngestBudget();
  /** An SRT session has stood. */
  wasAccepted = false;
  /** When its session ended; Infinity while one stands, or none has. */
  streamEndedUs = Infinity;
  /** When its last link went. */
  emptySinceUs: number;
  /** Where its SRT goes: the last that was opened. */
  server: AddressWords | null = null;

  constructor(index: number, serial: number, key: string, isResumed: boolean, nowUs: number) {
    this.index = index;
    this.serial = serial;
    this.key = key;
    this.isResumed = isResumed;
    this.upUs = nowUs;
    this.emptySinceUs = nowUs;
  }

  /** The link whose sender sends from there, whichever way it comes. */
  linkFrom(origin: AddressWords): Link | undefined {
    return this.links.find((link) => link.origin.equals(origin));
  }

  /** The link that brought SRT last; undefined when there is none. */
  get freshest(): Link | undefined {
    let best: Link | undefined;
    for (const link of this.links) {
      if (best === undefined || link.deliveredUs > best.deliveredUs) best = link;
    }
    return best;
  }
}
