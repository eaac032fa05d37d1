import { ServiceError } from '@mediaplane/control';
import type { Logger } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';
import { UntilOpen } from '../records/until-open.ts';
import type { UplinkRecords } from './uplink-records.ts';
import type { UplinkOrigin, UplinkSessions } from './uplink-sessions.ts';

interface Wanted {
  readonly settings: srtla.UplinkSettings;
  readonly origin: UplinkOrigin;
}

/** Uplinks that are there from the start: what the configuration lists, and what the last instance on this node left. */
export class StandingUplinks {
  readonly #sessions: Pick<UplinkSessions, 'create'>;
  readonly #records: Pick<UplinkRecords, 'load' | 'remove'>;
  readonly #log: Logger;
  readonly #untilOpen: UntilOpen<Wanted>;
  #configured: readonly srtla.UplinkSettings[] = [];

  constructor(sessions: Pick<UplinkSessions, 'create'>, records: Pick<UplinkRecords, 'load' | 'remove'>, log: Logger) {
    this.#sessions = sessions;
    this.#records = records;
    this.#log = log;
    this.#untilOpen = new UntilOpen('an uplink', (wanted) => this.#open(wanted), log);
  }

  /** Names of those that cannot be opened yet. */
  get waiting(): string[] {
    return this.#untilOpen.names;
  }

  async start(configured: readonly srtla.UplinkSettings[]): Promise<void> {
    this.#configured = configured;
    await this.resume();
  }

  /** Opens those again that a drain has closed. */
  async resume(): Promise<void> {
    const records = await this.#records.load();
    const left = new Map(records.map((record) => [record.settings?.name ?? '', record]));
    for (const settings of this.#configured) {
      const origin = { configured: true, ...leftBy(left.get(settings.name)) };
      left.delete(settings.name);
      await this.#untilOpen.begin(settings.name, { settings, origin });
    }
    for (const [name, record] of left) {
      const { settings, configured } = record;
      const origin = { configured: false, ...leftBy(record) };
      if (configured || settings === undefined) this.#records.remove(name);
      else await this.#untilOpen.begin(name, { settings, origin });
    }
  }

  /** In place of one of that name that waits for its port, unless the configuration names that. @throws ServiceError */
  async create(settings: srtla.UplinkSettings): Promise<srtla.Uplink> {
    const { name } = settings;
    if (this.#untilOpen.get(name)?.origin.configured === true) {
      const message = `the configuration has an uplink ${name}, which waits for its port`;
      throw new ServiceError('ALREADY_EXISTS', 'UPLINK_EXISTS', message);
    }
    const uplink = await this.#sessions.create(settings);
    this.#untilOpen.forget(name);
    return uplink;
  }

  stop(): void {
    this.#untilOpen.stop();
  }

  /** Rejects when it is to be tried again. */
  async #open({ settings, origin }: Wanted): Promise<void> {
    try {
      await this.#sessions.create(settings, origin);
    } catch (err) {
      if (!(err instanceof ServiceError)) throw err;
      const { name } = settings;
      if (err.code === 'INVALID_ARGUMENT') {
        this.#log.error({ err, name }, 'what was left of an uplink is of no use');
        this.#records.remove(name);
      } else if (err.reason !== 'UPLINK_EXISTS') {
        throw err;
      }
      // It is there.
    }
  }
}

function leftBy(record: srtla.UplinkRecord | undefined): Pick<UplinkOrigin, 'formerId' | 'dataBytes'> {
  return { formerId: record?.uplinkId ?? '', dataBytes: new Map(Object.entries(record?.dataBytes ?? {})) };
}
