import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { AckBatch } from '@mediaplane/srtla';
import type { LinkTelemetry } from '@mediaplane/srtla';

/** One path of a group: an address that its sender sends from. */
export class Link {
  readonly group: Group;
  /** Place in the receiver's list of links. */
  readonly index: number;
  readonly address: SocketAddress;
  readonly upUs: number;
  readonly acks = new AckBatch();
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

  constructor(group: Group, index: number, address: AddressWords, nowUs: number) {
    this.group = group;
    this.index = index;
    this.address = new SocketAddress().copyFrom(address);
    this.upUs = nowUs;
    this.heardUs = nowUs;
    this.deliveredUs = nowUs;
  }
}

/** The links of one sender, which carry one SRT connection. */
export class Group {
  /** Place in the receiver's list of groups; another's when this one is over. */
  readonly index: number;
  /** Its own among all groups of the receiver, ever. */
  readonly serial: number;
  /** The whole id, as `groupKey` makes it. */
  readonly key: string;
  readonly upUs: number;
  readonly links: Link[] = [];
  /** It has brought SRT data. */
  established = false;
  /** When its last link went. */
  emptySinceUs = Infinity;

  constructor(index: number, serial: number, key: string, nowUs: number) {
    this.index = index;
    this.serial = serial;
    this.key = key;
    this.upUs = nowUs;
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
