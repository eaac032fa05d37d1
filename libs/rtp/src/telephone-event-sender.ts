import { MAX_EVENT_DURATION, telephoneEventCode, writeTelephoneEvent } from './telephone-event.ts';

/** The last packet of an event is sent three times (RFC 4733 2.5.1.4). */
const END_PACKETS = 3;

/** Digits to be sent one after the other. The caller has checked all of it. */
export interface TelephoneEventJob {
  readonly id: string;
  /** Names of `telephoneEventCode`. */
  readonly digits: string;
  /** Of each digit, rounded up to whole frames. */
  readonly digitMs: number;
  /** From the end of a tone to the next one, rounded up to whole frames; at least two, for the end is sent twice more in it. */
  readonly gapMs: number;
  /** dBm0 without the sign: 0 to 63. */
  readonly volume: number;
}

/**
 * Sends digits as RFC 4733 events, a packet each frame: for a digit of n frames, n - 1 packets whose duration grows by a frame and
 * three whose end bit is set, all at one timestamp, then the gap. One that is too long for the duration field goes on in
 * segments (2.5.1.3).
 */
export class TelephoneEventSender {
  /** Of the packet that `nextFrame` has written: it is the first of an event (`OutboundStream.beginEvent`). */
  begins = false;
  /** Of the packet that `nextFrame` has written: its timestamp less that of the event's first (`OutboundStream.continueEvent`). */
  timestampOffset = 0;
  /** The digit whose end `nextFrame` has written for the first time, or an empty string. */
  sentDigit = '';
  /** The job whose last packet `nextFrame` has written, or null. */
  finishedJob: TelephoneEventJob | null = null;

  private readonly frameUnits: number;
  private readonly frameMs: number;
  private readonly jobs: TelephoneEventJob[] = [];
  /** Of the first job: the digit that is, or will be, under way. */
  private digit = 0;
  private code = 0;
  private frames = 0;
  /** Frames of it that have been written. */
  private frame = 0;
  private endsWritten = 0;
  /** Where its segment begins, in units from its start. */
  private segmentOffset = 0;
  /** Frames to wait before the next one. */
  private gapFrames = 0;

  /** `frameUnits`: a frame in units of the RTP clock. */
  constructor(frameUnits: number, frameMs: number) {
    this.frameUnits = frameUnits;
    this.frameMs = frameMs;
  }

  /** `nextFrame` is to be called: something waits, or the gap behind the last digit is not over. */
  get busy(): boolean {
    return this.jobs.length > 0 || this.gapFrames > 0;
  }

  /** How long it will take from now to the end of the last tone. */
  get remainingMs(): number {
    let frames = this.gapFrames - this.frame;
    let gap = 0;
    let digit = this.digit;
    for (const job of this.jobs) {
      const digits = job.digits.length - digit;
      frames += gap + digits * this.framesOf(job) + (digits - 1) * this.gapOf(job);
      gap = this.gapOf(job);
      digit = 0;
    }
    return this.jobs.length === 0 ? 0 : frames * this.frameMs;
  }

  /** Queues a job behind the others. */
  send(job: TelephoneEventJob): void {
    this.jobs.push(job);
  }

  /** Drops all jobs and returns them, the one under way first. Receivers end its event by time-out. */
  cancel(): TelephoneEventJob[] {
    this.digit = 0;
    this.frame = 0;
    this.endsWritten = 0;
    this.gapFrames = 0;
    return this.jobs.splice(0);
  }

  /** Once for each frame: writes the payload that is due and returns its length, or 0 when none is. */
  nextFrame(view: DataView, offset: number): number {
    this.sentDigit = '';
    this.finishedJob = null;
    if (this.gapFrames > 0) {
      this.gapFrames--;
      return 0;
    }
    if (this.jobs.length === 0) return 0;
    const job = this.jobs[0];
    this.begins = this.frame === 0;
    if (this.begins) {
      this.code = telephoneEventCode(job.digits[this.digit]);
      this.frames = this.framesOf(job);
      this.endsWritten = 0;
      this.segmentOffset = 0;
    }
    if (this.frame < this.frames) this.frame++;
    this.timestampOffset = this.segmentOffset;
    const duration = this.frame * this.frameUnits - this.segmentOffset;
    if (duration > MAX_EVENT_DURATION) {
      // The segment is full, and says so in a packet of its own.
      this.segmentOffset += MAX_EVENT_DURATION;
      return writeTelephoneEvent(view, offset, this.code, false, job.volume, MAX_EVENT_DURATION);
    }
    const end = this.frame === this.frames;
    if (end) this.countEnd(job);
    return writeTelephoneEvent(view, offset, this.code, end, job.volume, duration);
  }

  private countEnd(job: TelephoneEventJob): void {
    this.endsWritten++;
    if (this.endsWritten === 1) this.sentDigit = job.digits[this.digit];
    if (this.endsWritten < END_PACKETS) return;
    this.gapFrames = this.gapOf(job) - (END_PACKETS - 1);
    this.frame = 0;
    this.digit++;
    if (this.digit < job.digits.length) return;
    this.digit = 0;
    this.jobs.shift();
    this.finishedJob = job;
  }

  private framesOf(job: TelephoneEventJob): number {
    return Math.ceil(job.digitMs / this.frameMs);
  }

  private gapOf(job: TelephoneEventJob): number {
    return Math.max(END_PACKETS - 1, Math.ceil(job.gapMs / this.frameMs));
  }
}
