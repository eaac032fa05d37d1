import type { Logger } from '@mediaplane/control';
import type { ListenerStatistics } from '../media/listener-contract.ts';
import type { LiveListener } from './live-listener.ts';
import { DROP_CAUSES, increase } from './totals.ts';

/** Datagrams that come to nothing faster than this are a flood. */
const FLOOD_PER_SECOND = 100;
/** A flood is over when there was none for so long; nor has a cause of a listener two lines in less. */
const QUIET_US = 60e6;
const US_PER_S = 1e6;

type FloodedListener = Pick<LiveListener, 'id' | 'name'>;
type Reading = Pick<ListenerStatistics, 'sampledUs' | 'counters'>;

/** Says in the log when datagrams begin to come to nothing fast, and when that is over: two lines, however long it lasts. */
export class FloodNotes {
  readonly #log: Logger;
  readonly #last = new WeakMap<FloodedListener, Reading>();
  readonly #floods = new WeakMap<FloodedListener, Map<string, Flood>>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Each second or so, what a listener has counted. */
  read(listener: FloodedListener, reading: Reading): void {
    const last = this.#last.get(listener);
    this.#last.set(listener, reading);
    if (last === undefined) return;
    const seconds = (reading.sampledUs - last.sampledUs) / US_PER_S;
    for (const [counter, cause] of DROP_CAUSES) {
      const datagrams = increase(reading.counters[counter], last.counters[counter]);
      const isFast = datagrams > FLOOD_PER_SECOND * seconds;
      const flood = this.#flood(listener, cause);
      const news = flood.step(reading.sampledUs, datagrams, isFast);
      const fields = { listenerId: listener.id, name: listener.name, cause };
      if (news === 'begins') {
        const perSecond = Math.round(datagrams / seconds);
        this.#log.warn({ ...fields, perSecond }, 'a flood: datagrams to a listener come to nothing');
      } else if (news === 'over') {
        this.#log.info({ ...fields, datagrams: flood.datagrams, seconds: flood.seconds }, 'a flood is over');
      }
    }
  }

  #flood(listener: FloodedListener, cause: string): Flood {
    let floods = this.#floods.get(listener);
    if (floods === undefined) this.#floods.set(listener, (floods = new Map()));
    let flood = floods.get(cause);
    if (flood === undefined) floods.set(cause, (flood = new Flood()));
    return flood;
  }
}

/** One cause of one listener, over and over. */
class Flood {
  /** Since it began. */
  datagrams = 0;
  #isOn = false;
  #beganUs = 0;
  #lastFastUs = 0;
  #lastLineUs = -Infinity;

  /** From its first reading to the last that was fast. */
  get seconds(): number {
    return Math.round((this.#lastFastUs - this.#beganUs) / US_PER_S);
  }

  step(nowUs: number, datagrams: number, isFast: boolean): 'begins' | 'over' | undefined {
    if (this.#isOn) this.datagrams += datagrams;
    if (isFast) {
      this.#lastFastUs = nowUs;
      if (this.#isOn || nowUs - this.#lastLineUs < QUIET_US) return undefined;
      this.#isOn = true;
      this.#beganUs = nowUs;
      this.datagrams = datagrams;
      return this.#told(nowUs, 'begins');
    }
    if (!this.#isOn || nowUs - this.#lastFastUs < QUIET_US) return undefined;
    this.#isOn = false;
    return this.#told(nowUs, 'over');
  }

  #told<News>(nowUs: number, news: News): News {
    this.#lastLineUs = nowUs;
    return news;
  }
}
