import type { PacketIo } from '@mediaplane/net';
import { sleepUs } from '@mediaplane/native';
import { Histogram } from '../measure/histogram.ts';
import type { SourceGroup } from './srt-group.ts';
import type { SourceResult, TrafficTimes } from './srt-plan.ts';

/** Naps are no longer than this, so that a send is not late by more. */
const NAP_US = 60;
const BURST_US = 1000;
/** Sends in a row before looking for what came back. */
const SENDS_PER_PASS = 16;
/** How often the groups are asked what they have to repeat. */
const TICK_US = 50_000;

/** Sends the streams of all groups by their schedule. One thread, no allocation per packet. */
export class SrtSource {
  readonly #io: PacketIo;
  readonly #groups: readonly SourceGroup[];
  /** By socket: its group. */
  readonly #owners: readonly SourceGroup[];
  readonly #nowUs: () => number;
  readonly #lateness = new Histogram();
  #tickedUs = -Infinity;
  #next = 0;
  #sent = 0;
  #sendErrors = 0;

  constructor(io: PacketIo, groups: readonly SourceGroup[], owners: readonly SourceGroup[], nowUs: () => number) {
    this.#io = io;
    this.#groups = groups;
    this.#owners = owners;
    this.#nowUs = nowUs;
  }

  /** Works on the handshakes for `sliceUs`. Returns whether every session stands. */
  connect(sliceUs: number): boolean {
    for (const untilUs = this.#nowUs() + sliceUs; this.#nowUs() < untilUs;) {
      this.#tick(this.#nowUs());
      this.#takeIn(1000);
      if (this.#groups.every(({ state }) => state === 'open')) return true;
    }
    return false;
  }

  /** Sends what is due, for `sliceUs` at the most. Returns whether it is over. */
  send(times: TrafficTimes, sliceUs: number): boolean {
    const untilUs = this.#nowUs() + sliceUs;
    for (;;) {
      const nowUs = this.#nowUs();
      if (nowUs >= times.endUs) return true;
      if (nowUs >= untilUs) return false;
      this.#sendDue(times, nowUs);
      this.#tick(nowUs);
      this.#takeIn(0);
      const restUs = this.#dueUs(times) - this.#nowUs();
      if (restUs > 0) sleepUs(Math.min(restUs, NAP_US));
    }
  }

  /** A product, not a sum of steps: no error builds up. */
  #dueUs({ startUs, packetsPerSecond, pace }: TrafficTimes): number {
    const dueUs = (this.#next * 1e6) / (packetsPerSecond * this.#groups.length);
    return startUs + (pace === 'burst' ? Math.floor(dueUs / BURST_US) * BURST_US : dueUs);
  }

  #sendDue(times: TrafficTimes, nowUs: number): void {
    for (let sends = 0; sends < SENDS_PER_PASS; sends += 1) {
      const dueUs = this.#dueUs(times);
      if (dueUs > nowUs) return;
      const sentUs = this.#nowUs();
      // What a late source has not sent by now stays unsent: the engine's CPU is read at this moment.
      if (sentUs >= times.endUs) return;
      const taken = this.#groups[this.#next % this.#groups.length].send(sentUs);
      this.#next += 1;
      if (!taken) this.#sendErrors += 1;
      else if (sentUs >= times.measureFromUs) {
        this.#sent += 1;
        this.#lateness.record(sentUs - dueUs);
      }
    }
  }

  #tick(nowUs: number): void {
    if (nowUs - this.#tickedUs < TICK_US) return;
    this.#tickedUs = nowUs;
    for (const group of this.#groups) group.tick(nowUs);
  }

  #takeIn(timeoutUs: number): void {
    const { batch } = this.#io;
    const count = this.#io.receive(timeoutUs);
    for (let i = 0; i < count; i += 1) {
      this.#owners[batch.tag[i]].onDatagram(batch.tag[i], batch.offset[i], batch.length[i]);
    }
  }

  result(): SourceResult {
    const { p99, max } = this.#lateness.toMs();
    return { sent: this.#sent, sendErrors: this.#sendErrors, scheduleErrorMs: { p99, max } };
  }
}
