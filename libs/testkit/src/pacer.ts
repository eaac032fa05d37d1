/**
 * Calls `tick` once every `intervalUs`, counted from the start: a late timer is made up for, so the rate never drifts.
 * `nowUs` is a monotonic clock.
 */
export class Pacer {
  /** How late a tick came at worst: beyond a few milliseconds it is the machine that is measured, not what is tested. */
  maxLateUs = 0;
  private ticks = 0;
  private readonly startUs: number;
  private readonly intervalUs: number;
  private readonly nowUs: () => number;
  private readonly tick: () => void;
  private timer: NodeJS.Timeout;
  private isStopped = false;

  constructor(intervalUs: number, nowUs: () => number, tick: () => void) {
    this.intervalUs = intervalUs;
    this.nowUs = nowUs;
    this.tick = tick;
    this.startUs = nowUs();
    this.timer = setTimeout(() => this.run(), 0);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.isStopped = true;
  }

  private run(): void {
    const now = this.nowUs();
    for (let due = this.dueUs(); due <= now && !this.isStopped; due = this.dueUs()) {
      this.maxLateUs = Math.max(this.maxLateUs, now - due);
      this.ticks++;
      this.tick();
    }
    if (!this.isStopped) this.timer = setTimeout(() => this.run(), Math.max(0, this.dueUs() - this.nowUs()) / 1000);
  }

  private dueUs(): number {
    return this.startUs + this.ticks * this.intervalUs;
  }
}
