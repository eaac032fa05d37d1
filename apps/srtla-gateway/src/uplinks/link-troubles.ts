import { formatSocketAddress } from '@mediaplane/net';
import type { LinkStatistics } from '../media/uplink-contract.ts';
import type { LinkPath } from './link-path.ts';
import type { Interfaces } from './source-addresses.ts';

/** Registrations go out each second: so long without an answer, there is none. */
const SILENT_MS = 5000;
/** Of a link that is up: its route may go away under it, and the system sends by another. */
const ROUTE_CHECK_MS = 5000;

export type LinkTrouble =
  | { readonly type: 'link-waiting' | 'link-misrouted' | 'link-unanswered'; readonly problem: string }
  | { readonly type: 'link-unbound'; readonly device: string };

/** What keeps a link from being of use, in words: told once for each reason, and shown as long as it holds. */
export class LinkTroubles {
  readonly #tell: (trouble: LinkTrouble) => void;
  /** Why it has no socket. */
  #waiting = '';
  /** Why what it sends may never arrive. */
  #misrouted = '';
  #routeCheckedMs = -Infinity;
  /** Why nothing comes of its asking. */
  #unanswered = '';
  /** It has had a socket since, and has not been up; Infinity while it is up, or off. */
  #downSinceMs = Infinity;
  /** `strangers` when it got its socket. */
  #strangersBefore = 0;
  /** The system does not let it be bound to its device. */
  #isUnbound = false;

  constructor(tell: (trouble: LinkTrouble) => void) {
    this.#tell = tell;
  }

  /** The one that is to be mended first; '' when there is none. */
  get text(): string {
    return this.#waiting || this.#misrouted || this.#unanswered;
  }

  /** It gets no socket. */
  wait(problem: string): void {
    if (problem !== '' && problem !== this.#waiting) this.#tell({ type: 'link-waiting', problem });
    this.#waiting = problem;
  }

  /** It is off. */
  forget(): void {
    this.#waiting = '';
    this.#unanswered = '';
    this.#downSinceMs = Infinity;
  }

  /** It has a socket. `device`: that it was to be bound to; `strangers`: those of before. */
  onOpened(path: LinkPath, device: string, strangers: number, nowMs: number): void {
    this.#waiting = '';
    this.#strangersBefore = strangers;
    if (this.#downSinceMs === Infinity) this.#downSinceMs = nowMs;
    if (path.isUnbound && !this.#isUnbound) this.#tell({ type: 'link-unbound', device });
    this.#isUnbound = path.isUnbound;
  }

  /** Once a second, while it has a socket. */
  async check(path: LinkPath, statistics: LinkStatistics | null, interfaces: Interfaces, nowMs: number): Promise<void> {
    const isLive = statistics?.state === 'live';
    if (isLive) this.#downSinceMs = Infinity;
    else if (this.#downSinceMs === Infinity) this.#downSinceMs = nowMs;
    const unanswered = isLive ? '' : this.#whyUnanswered(path, statistics, nowMs);
    if (unanswered !== '' && unanswered !== this.#unanswered) {
      this.#tell({ type: 'link-unanswered', problem: unanswered });
    }
    this.#unanswered = unanswered;
    const isDue = nowMs - this.#routeCheckedMs >= ROUTE_CHECK_MS;
    if (!isLive || this.#misrouted !== '' || isDue) await this.checkRoute(path, interfaces, nowMs);
  }

  async checkRoute(path: LinkPath, interfaces: Interfaces, nowMs: number): Promise<void> {
    this.#routeCheckedMs = nowMs;
    const problem = await path.routeProblem(interfaces);
    if (problem !== '' && problem !== this.#misrouted) this.#tell({ type: 'link-misrouted', problem });
    this.#misrouted = problem;
  }

  /** As far as that can be told. */
  #whyUnanswered(path: LinkPath, statistics: LinkStatistics | null, nowMs: number): string {
    const { strangers = 0, stranger = null, heardAgoMs = -1 } = statistics ?? {};
    const { receiver } = path.view();
    if (stranger !== null && strangers > this.#strangersBefore) {
      return `${receiver} was asked, but ${formatSocketAddress(stranger)} answers: a receiver must answer from the address that it is asked at`;
    }
    const isSilent = heardAgoMs < 0 || heardAgoMs >= SILENT_MS;
    return isSilent && nowMs - this.#downSinceMs >= SILENT_MS ? `no answer from ${receiver}` : '';
  }
}
