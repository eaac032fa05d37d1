import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@mediaplane/control';
import type { Logger } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';
import type { UplinkRecords } from './uplink-records.ts';
import type { UplinkOrigin, UplinkSessions } from './uplink-sessions.ts';

const RETRY_MS = 500;

interface Wanted {
  readonly settings: srtla.UplinkSettings;
  readonly origin: UplinkOrigin;
}

/** Uplinks that are there from the start: what the configuration lists, and what the last instance on this node left. */
export class StandingUplinks {
  readonly #sessions: Pick<UplinkSessions, 'create'>;
  readonly #records: Pick<UplinkRecords, 'load' | 'remove'>;
  readonly #log: Logger;
  readonly #stopped = new AbortController();
  readonly #waiting = new Set<string>();

  constructor(sessions: Pick<UplinkSessions, 'create'>, records: Pick<UplinkRecords, 'load' | 'remove'>, log: Logger) {
    this.#sessions = sessions;
    this.#records = records;
    this.#log = log;
  }

  /** Names of those that cannot be opened yet. */
  get waiting(): string[] {
    return [...this.#waiting];
  }

  /** A port that another process still holds is tried until it comes free. */
  async start(configured: readonly srtla.UplinkSettings[]): Promise<void> {
    const records = await this.#records.load();
    const left = new Map(records.map((record) => [record.settings?.name ?? '', record]));
    for (const settings of configured) {
      const origin = { configured: true, ...leftBy(left.get(settings.name)) };
      left.delete(settings.name);
      await this.#open({ settings, origin });
    }
    for (const record of left.values()) {
      if (record.settings === undefined) continue;
      await this.#open({ settings: record.settings, origin: { configured: false, ...leftBy(record) } });
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  async #open(wanted: Wanted): Promise<void> {
    const { name } = wanted.settings;
    try {
      await this.#sessions.create(wanted.settings, wanted.origin);
    } catch (err) {
      if (err instanceof ServiceError && err.code === 'INVALID_ARGUMENT') {
        this.#log.error({ err, name }, 'what was left of an uplink is of no use');
        this.#records.remove(name);
      } else {
        this.#log.error({ err, name }, 'an uplink cannot be opened: it is tried until it can');
        void this.#openLater(wanted);
      }
    }
  }

  async #openLater({ settings, origin }: Wanted): Promise<void> {
    const { signal } = this.#stopped;
    const { name } = settings;
    this.#waiting.add(name);
    for (let isOpen = false; !isOpen && !signal.aborted;) {
      await sleep(RETRY_MS, undefined, { ref: false });
      if (signal.aborted) return;
      // The first failure has been told. One of that name that somebody has created meanwhile is what they want.
      isOpen = await this.#sessions.create(settings, origin).then(
        () => true,
        (err: unknown) => err instanceof ServiceError && err.reason === 'UPLINK_EXISTS',
      );
    }
    this.#waiting.delete(name);
  }
}

function leftBy(record: srtla.UplinkRecord | undefined): Pick<UplinkOrigin, 'formerId' | 'dataBytes'> {
  return { formerId: record?.uplinkId ?? '', dataBytes: new Map(Object.entries(record?.dataBytes ?? {})) };
}
