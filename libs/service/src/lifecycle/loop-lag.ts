import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * Well below the lag that is looked for: a loop whose turns take 60 ms meets a timer of 100 ms in every second turn and seems to be in
 * time, and where samples are few, one long turn makes their mean. Each sample is a wake-up of an idle process.
 */
const RESOLUTION_MS = 20;
const WINDOW_MS = 1000;

/** How late the control thread's event loop is, over windows of one second. */
export class LoopLag {
  /** Of the last full window, in ms beyond the sampling interval. */
  meanMs = 0;
  maxMs = 0;
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly timer: NodeJS.Timeout;

  /** `onWindow` is called after each window. */
  constructor(onWindow: (meanMs: number) => void) {
    this.histogram.enable();
    this.timer = setInterval(() => {
      // The histogram holds the time between samples, the interval itself included; it is empty in a window without one.
      const samples = this.histogram.count > 0;
      this.meanMs = samples ? Math.max(0, this.histogram.mean / 1e6 - RESOLUTION_MS) : 0;
      this.maxMs = samples ? Math.max(0, this.histogram.max / 1e6 - RESOLUTION_MS) : 0;
      this.histogram.reset();
      onWindow(this.meanMs);
    }, WINDOW_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }
}
