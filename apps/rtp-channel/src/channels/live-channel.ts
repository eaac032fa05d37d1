import { Turns } from '@mediaplane/control';
import type { PortPair } from '@mediaplane/net';
import type { CallRecord, Channel, Codecs, Playback } from '@mediaplane/proto';
import type { AddressWords, ChannelMediaEvent, MediaFormats } from '../media/contract.ts';
import type { Deadlines } from './deadlines.ts';
import type { LiveRecording } from './live-recording.ts';

/** The audio that a channel exchanges with another. */
export interface Bridge {
  readonly peerChannelId: string;
  readonly kind: 'relay' | 'transcode';
  /** The private leg, when the other channel is on another instance. */
  readonly leg: PeerLeg | undefined;
}

/** Our end of a private leg. */
export interface OpenLeg {
  readonly legId: string;
  readonly ports: PortPair;
}

export interface PendingLeg {
  readonly legId: string;
  readonly peerChannelId: string;
  /** What the other channel speaks, if that has changed since it was asked. */
  peerCodecs: Codecs | undefined;
}

/** With what is known of the other end. */
export interface PeerLeg extends OpenLeg {
  readonly peerAddress: AddressWords;
  readonly peerFormats: MediaFormats;
}

/** What a channel was told to play, record and send, and has not finished; by their ids. */
export class Activity {
  readonly playbacks = new Map<string, Playback>();
  readonly recordings = new Map<string, LiveRecording>();
  readonly dtmfRuns = new Set<string>();
}

/** A channel of this instance, from open to `closed`. */
export class LiveChannel {
  readonly id: string;
  readonly ports: PortPair;
  /** Monotonic. */
  readonly openedMs: number;
  /**
   * The channel as the API shows it, but for what only the media thread knows. It is also the directory's record: its members
   * change, what they point to does not, so a shallow copy is a snapshot.
   */
  readonly record: Channel;
  readonly turns = new Turns();
  /** Sequence of the last event. */
  sequence = 0;
  /** What its media thread told before `opened` was published. */
  early: ChannelMediaEvent[] | undefined;
  bridge: Bridge | undefined;
  /** A leg that the other instance has been asked for and has not answered. */
  pendingLeg: PendingLeg | undefined;
  /** Resolves when the other instance has released its end of the last leg, or cannot be asked now. */
  legRelease: Promise<void> | undefined;
  deadlines: Deadlines | undefined;
  activity: Activity | undefined;
  /** Set when closing begins. */
  closing: Promise<CallRecord> | undefined;
  /** Why its media thread no longer has it. */
  lostCause: string | undefined;
  /** Nothing more is to be published: it has closed, or a survivor has closed it in the eyes of the fleet. */
  muted = false;

  constructor(ports: PortPair, record: Channel, openedMs: number) {
    this.id = record.channelId;
    this.ports = ports;
    this.record = record;
    this.openedMs = openedMs;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.record.settings?.labels ?? {};
  }

  /** `opened` has been published. */
  get announced(): boolean {
    return this.sequence > 0;
  }

  /** Made when first needed: most channels are relays. */
  busy(): Activity {
    this.activity ??= new Activity();
    return this.activity;
  }
}
