import type { Bus, Subscription } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';

const REPORTS = 'mp.v1.srtla-gateway.statistics';
const WANTED = 'mp.v1.srtla-gateway.statistics.wanted';
const NOTHING = new Uint8Array(0);
const ASK_INTERVAL_MS = 5000;
/** Whoever asked and died is forgotten. */
const WANTED_MS = 12_000;
/** Of one message: a bus takes no large ones. */
const SESSIONS_PER_REPORT = 50;

export type OnReport = (report: srtla.StatisticsReport) => void;

/** Statistics of all instances, once a second, while anybody wants them: best effort, and never stored. */
export class StatisticsBus implements Disposable {
  readonly #bus: Bus;
  readonly #listeners = new Set<OnReport>();
  readonly #asked: Subscription;
  #reports: Subscription | undefined;
  #asking: NodeJS.Timeout | undefined;
  #wantedUntilMs = -Infinity;

  constructor(bus: Bus) {
    this.#bus = bus;
    this.#asked = bus.subscribe(WANTED, () => (this.#wantedUntilMs = performance.now() + WANTED_MS));
  }

  /** Of this instance. */
  report(groups: () => srtla.GroupSample[], uplinks: () => srtla.UplinkSample[]): void {
    if (performance.now() > this.#wantedUntilMs) return;
    for (const part of parts(groups())) this.#publish({ groups: part, uplinks: [] });
    for (const part of parts(uplinks())) this.#publish({ groups: [], uplinks: part });
  }

  /** Until it is disposed of, reports come to `onReport`. */
  follow(onReport: OnReport): Disposable {
    this.#listeners.add(onReport);
    this.#reports ??= this.#bus.subscribe(REPORTS, ({ payload }) => this.#hear(payload));
    this.#asking ??= setInterval(() => this.#ask(), ASK_INTERVAL_MS).unref();
    this.#ask();
    return { [Symbol.dispose]: () => this.#forget(onReport) };
  }

  [Symbol.dispose](): void {
    this.#asked.unsubscribe();
    for (const listener of [...this.#listeners]) this.#forget(listener);
  }

  #forget(onReport: OnReport): void {
    this.#listeners.delete(onReport);
    if (this.#listeners.size > 0) return;
    this.#reports?.unsubscribe();
    this.#reports = undefined;
    clearInterval(this.#asking);
    this.#asking = undefined;
  }

  #ask(): void {
    this.#bus.publish(WANTED, NOTHING);
  }

  #publish(report: srtla.StatisticsReport): void {
    this.#bus.publish(REPORTS, srtla.StatisticsReport.encode(report).finish());
  }

  #hear(payload: Uint8Array): void {
    let report: srtla.StatisticsReport;
    try {
      report = srtla.StatisticsReport.decode(payload);
    } catch {
      // Of another version, or of nobody who should speak here; the next one comes in a second.
      return;
    }
    for (const listener of this.#listeners) listener(report);
  }
}

function* parts<T>(samples: T[]): Generator<T[]> {
  for (let at = 0; at < samples.length; at += SESSIONS_PER_REPORT) yield samples.slice(at, at + SESSIONS_PER_REPORT);
}
