/** What the demonstration call found out: plain data between those who measure and those who judge and print. */

/** One leg: a phone and its channel. */
export interface LegFacts {
  readonly phone: 'A' | 'B';
  readonly channelId: string;
  readonly phoneSent: number;
  readonly channelReceived: number;
  readonly channelSent: number;
  readonly phoneHeard: number;
  /** From the phone to its channel. */
  readonly lostIn: number;
  /** From the channel to its phone. */
  readonly lostOut: number;
  readonly jitterInMs: number;
  readonly jitterOutMs: number;
  /** Of what this phone heard of the other one's speech: from the sending socket to the receiving one. */
  readonly latency: LatencyFacts;
  /** How late the phone sent at worst: what the machine adds, not the service. */
  readonly phoneLateMs: number;
  /** The channel's estimate of what it received; undefined when it received nothing. */
  readonly mos: number | undefined;
  /** From RTCP, as the channel measured it; undefined when no usable report came. */
  readonly channelRoundTripMs: number | undefined;
  /** The same as the phone measured it. */
  readonly phoneRoundTripMs: number | undefined;
  readonly digitsSent: string;
  readonly digitsHeard: string;
  /** Digits that the channel reported as events. */
  readonly digitsReported: string;
}

export interface LatencyFacts {
  /** Packets whose way could be followed. */
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** How well something is found in what was heard: 0 (not at all) to 1 (the same wave form). */
export interface HearingFacts {
  readonly promptByA: number;
  readonly aByB: number;
  readonly bByA: number;
}

export interface TrackFacts {
  /** `phone A said` */
  readonly label: string;
  readonly rmsDbfs: number;
  readonly peakDbfs: number;
  /** One line of block characters. */
  readonly plot: string;
  /** How well the speech that belongs on this track is found there. */
  readonly speech: number;
}

export interface RecordingFacts {
  readonly phone: 'A' | 'B';
  readonly path: string;
  readonly bytes: number;
  readonly durationMs: number;
  readonly sampleRateHz: number;
  /** Left and right. */
  readonly tracks: readonly TrackFacts[];
  /** Why there is no good recording; undefined when there is. */
  readonly problem: string | undefined;
}

export interface EventFacts {
  /** Name and how often, in order of first appearance. */
  readonly seen: readonly (readonly [name: string, count: number])[];
  /** Events that a channel's numbering says there were and that did not come. */
  readonly missing: number;
}

export interface CallFacts {
  readonly durationMs: number;
  readonly legs: readonly LegFacts[];
  readonly hearing: HearingFacts;
  readonly recordings: readonly RecordingFacts[];
  readonly events: EventFacts;
}

/** Short load on the media threads, to estimate what they would hold. */
export interface CapacityFacts {
  readonly channels: number;
  readonly packets: number;
  readonly lost: number;
  /** CPU of the media threads, for each packet received and sent back. */
  readonly cpuMicrosPerPacket: number;
  readonly mediaThreads: number;
  readonly cores: number;
  /** What the instance announces: ports, descriptors, configuration. */
  readonly sessionLimit: number;
}

/** A service as the fleet knows it. */
export interface ServiceFacts {
  readonly name: string;
  readonly instanceId: string;
  readonly grpcAddress: string;
  readonly adminAddress: string;
  /** `RTP 10000-29999`; empty where media takes the ports that it is told. */
  readonly mediaPorts: string;
}

/** One link of the bonded stream, seen from the uplink. */
export interface BondedLinkFacts {
  readonly name: string;
  /** Source address of the link. */
  readonly address: string;
  /** SRT data packets that its modem was given until the first link died, and from then on; copies and resent ones too. */
  readonly packetsBefore: number;
  readonly packetsAfter: number;
  /** Undefined before the first sample. */
  readonly rttMs: number | undefined;
  /** What the uplink says of it at the end: `up`, `suspect`, `registering`. */
  readonly state: string;
}

/** A stream over two links, of which the first dies in the middle. */
export interface BondingFacts {
  readonly durationMs: number;
  /** Agreed by both SRT ends: how long after it was sent a packet is played. */
  readonly srtLatencyMs: number;
  readonly packetsPerSecond: number;
  readonly sent: number;
  /** In order, as the SRT server tells. */
  readonly played: number;
  /** Of `played`, those that arrived when they should have been played already. */
  readonly tooLate: number;
  /** Packets of the transport stream that are missing or damaged, as its counters tell. */
  readonly continuityErrors: number;
  /** From the encoder to the SRT server, through both ends of the bonding: before it is held back to be played in its time. */
  readonly latency: LatencyFacts;
  readonly links: readonly BondedLinkFacts[];
  /** Packets of the stream that the dead link was still given; not those that SRT sent again. */
  readonly givenToDead: number;
  /** When the last of them was, after it had died; undefined when there was none. */
  readonly lastToDeadMs: number | undefined;
  /** When the uplink said `failover`, after the link had died; undefined when it never did. */
  readonly failoverMs: number | undefined;
  readonly resentByFailover: number;
  /** Asked for by the SRT server. */
  readonly resentBySrt: number;
  /** Packets that the SRT server got twice. */
  readonly duplicates: number;
  /** CPU of the media threads for each packet, both ends of the bonding together, while both links lived. */
  readonly cpuMicrosPerPacket: number;
}
