import { ParseError } from './errors.ts';
import { MAX_EVENT_DURATION, parseTelephoneEvent, TelephoneEvent, telephoneEventName } from './telephone-event.ts';

/** Without a packet for this long an event has ended, its end lost. Several packets, and more than a network's usual jitter. */
const END_TIMEOUT_US = 200_000;
/** A timestamp up to this far behind is from a packet that came late; further behind, the sender has started anew. */
const LATE_S = 10;

/** What `receive` and `onDeadline` have found: a set of bits. */
export const EventChange = {
  none: 0,
  /** A new event: `event`, `volume`. */
  started: 1,
  /** An event is over: `endedEvent`, `endedDuration`, `endedVolume`. */
  ended: 2,
} as const;

/** Shared by all receivers: it holds nothing between calls. */
const payload = new TelephoneEvent();

/**
 * Makes of the packets of RFC 4733 one start and one end for each event, whatever is lost: an event is told from the one before
 * by its timestamp, so that one packet of it, be it an end, is enough. Segments of a long event (2.5.1.3) are one event. If the
 * end is lost, the next event ends it, or a time-out.
 */
export class TelephoneEventReceiver {
  /** When `onDeadline` is due; Infinity: not at all. */
  nextDeadlineUs = Infinity;

  event = 0;
  volume = 0;
  endedEvent = 0;
  endedVolume = 0;
  /** In clock units. */
  endedDuration = 0;

  /** Events begun. */
  events = 0;
  /** Packets that were no event of a telephone's keys. */
  ignored = 0;

  private readonly clockRateHz: number;
  private ssrc = 0;
  private active = false;
  /** Of the segment that is under way, or was last. */
  private timestamp = 0;
  private duration = 0;
  /** Of the segments before it. */
  private pastDuration = 0;

  constructor(clockRateHz: number) {
    this.clockRateHz = clockRateHz;
  }

  /** Takes the payload of an event packet in; returns bits of `EventChange`. */
  receive(view: DataView, offset: number, length: number, ssrc: number, timestamp: number, nowUs: number): number {
    if (
      parseTelephoneEvent(view, offset, length, payload) !== ParseError.none ||
      telephoneEventName(payload.event) === ''
    ) {
      this.ignored++;
      return EventChange.none;
    }
    const ahead = (timestamp - this.timestamp) | 0;
    const sameSource = this.events > 0 && (ssrc | 0) === this.ssrc;
    let change: number = EventChange.none;
    if (sameSource && ahead === 0 && payload.event === this.event) {
      if (!this.active) return EventChange.none;
    } else if (sameSource && ahead < 0 && ahead > -LATE_S * this.clockRateHz) {
      return EventChange.none;
    } else if (sameSource && this.active && ahead === MAX_EVENT_DURATION && payload.event === this.event) {
      this.pastDuration += MAX_EVENT_DURATION;
      this.timestamp = timestamp | 0;
      this.duration = 0;
    } else {
      if (this.active) change |= this.end();
      change |= this.start(ssrc, timestamp);
    }
    this.duration = Math.max(this.duration, payload.duration);
    this.volume = payload.volume;
    this.nextDeadlineUs = nowUs + END_TIMEOUT_US;
    if (!payload.end) return change;
    if ((change & EventChange.ended) !== 0) {
      // Two ends at once, of the event before and of this one: the second is told at the deadline.
      this.nextDeadlineUs = nowUs;
      return change;
    }
    return change | this.end();
  }

  /** Ends an event whose end was lost. */
  onDeadline(nowUs: number): number {
    return this.active && nowUs >= this.nextDeadlineUs ? this.end() : EventChange.none;
  }

  private start(ssrc: number, timestamp: number): number {
    this.active = true;
    this.ssrc = ssrc | 0;
    this.timestamp = timestamp | 0;
    this.event = payload.event;
    this.duration = 0;
    this.pastDuration = 0;
    this.events++;
    return EventChange.started;
  }

  private end(): number {
    this.active = false;
    this.nextDeadlineUs = Infinity;
    this.endedEvent = this.event;
    this.endedVolume = this.volume;
    this.endedDuration = this.pastDuration + this.duration;
    return EventChange.ended;
  }
}
