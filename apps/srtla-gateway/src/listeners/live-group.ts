import { Turns } from '@mediaplane/control';
import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import type { ResumedGroup } from '../media/listener-contract.ts';
import { GroupRates } from './group-rates.ts';
import type { LiveListener } from './live-listener.ts';
import type { EventSource } from './session-events.ts';

/** A group's way to its SRT server. */
export interface Upstream {
  readonly socket: UdpSocketHandle;
  readonly address: AddressWords;
  /** Of its media session; a new one each time it is opened. */
  sessionId: string;
}

export type StreamSockets = NonNullable<ResumedGroup['stream']>;

/** A group of this instance, from its first link to its end. */
export class LiveGroup implements EventSource {
  /** Another one when a survivor has ended this one in the eyes of the fleet. */
  id: string;
  readonly listener: LiveListener;
  /** What its sender shows, in hexadecimal: a secret. */
  readonly key: string;
  /** Its number on the media thread. */
  serial = -1;
  /** As the API shows it; its members change, what they point to does not, so a shallow copy is a snapshot. */
  readonly record: srtla.Group;
  /** One thing after the other with its upstream. */
  readonly turns = new Turns();
  upstream: Upstream | undefined;
  /** Searches for the one server of its listener that have begun: the last one counts. */
  searches = 0;
  /** It could not have the port that its server knows. */
  moved: { readonly former: srtla.Endpoint | undefined; readonly cause: string } | undefined;
  /** Those that it had before the process was started again. */
  formerLinks: readonly srtla.GroupLink[] = [];
  /** The SRT session that stands. */
  stream: StreamSockets | null = null;
  /** The last request for ingest: one that comes overtakes it. */
  request = -1;
  /** Why the last verdict refused; '' when it did not. */
  refusal = '';
  /** Of the verdict that let the stream in. */
  streamName = '';
  readonly rates: GroupRates;
  /** When anything last came from its sender, Unix time. */
  seenUnixMs: number;
  /** As its stored record says. */
  storedSeenUnixMs = 0;
  /** Why it ends, where somebody asked for that. */
  asked: { readonly reason: srtla.EndReason; readonly text: string } | undefined;
  sequence = 0;
  muted = false;
  /** Resolves when its last event is published and all it had is given back. */
  readonly ended = Promise.withResolvers<void>();
  isOver = false;

  constructor(listener: LiveListener, key: string, record: srtla.Group, nowUnixMs: number) {
    this.id = record.groupId;
    this.listener = listener;
    this.key = key;
    this.record = record;
    this.seenUnixMs = nowUnixMs;
    // One of before the process was started again is as old as it is.
    this.rates = new GroupRates(Math.max(nowUnixMs - (record.createTime?.getTime() ?? nowUnixMs), 0));
  }

  get labels(): Readonly<Record<string, string>> {
    return this.listener.labels;
  }

  /** `group_up` has been published. */
  get announced(): boolean {
    return this.sequence > 0 || this.muted;
  }

  get streams(): boolean {
    return this.record.state === srtla.GroupState.STREAMING;
  }
}
