/** What one session of a service needs. */
export interface SessionNeeds {
  /** UDP ports out of the configured range; 0 for a service that shares one port. */
  readonly ports: number;
  readonly descriptors: number;
}

export interface CapacityLimits {
  readonly maxSessions: number;
  readonly portCount: number;
  /** Soft limit of open files; undefined where the system does not tell. */
  readonly maxDescriptors: number | undefined;
  readonly loopLagTargetMs: number;
}

/** Descriptors that the process needs beside its sessions: listeners, connections, libraries, files. */
const RESERVED_DESCRIPTORS = 256;
/** One slow second is a garbage collection or a burst; two in a row are overload. */
const SLOW_WINDOWS = 2;
/** Share of the static limit that comes back with each good second. */
const RECOVERY = 0.05;

/** How many sessions the resources allow, whatever the load. */
export function staticLimit(limits: CapacityLimits, needs: SessionNeeds): number {
  const byPorts = needs.ports === 0 ? Infinity : Math.floor(limits.portCount / needs.ports);
  const byDescriptors =
    limits.maxDescriptors === undefined || needs.descriptors === 0
      ? Infinity
      : Math.floor((limits.maxDescriptors - RESERVED_DESCRIPTORS) / needs.descriptors);
  return Math.max(0, Math.min(limits.maxSessions, byPorts, byDescriptors));
}

/**
 * The capacity an instance announces: the static limit, lowered to what it holds while its event loop lags, raised again step by
 * step when it does not.
 */
export class Capacity {
  readonly staticLimit: number;
  private current: number;
  private slowWindows = 0;
  private readonly loopLagTargetMs: number;
  private readonly used: () => number;

  constructor(limits: CapacityLimits, needs: SessionNeeds, used: () => number) {
    this.staticLimit = staticLimit(limits, needs);
    this.current = this.staticLimit;
    this.loopLagTargetMs = limits.loopLagTargetMs;
    this.used = used;
  }

  snapshot(): { limit: number; used: number } {
    return { limit: this.current, used: this.used() };
  }

  /** Called once a second with the mean lag of that second. */
  onLoopLag(meanMs: number): void {
    if (meanMs <= this.loopLagTargetMs) {
      this.slowWindows = 0;
      this.current = Math.min(this.staticLimit, this.current + Math.ceil(this.staticLimit * RECOVERY));
      return;
    }
    this.slowWindows += 1;
    if (this.slowWindows >= SLOW_WINDOWS) this.current = Math.min(this.current, this.used());
  }
}
