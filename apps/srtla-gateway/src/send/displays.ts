import type { UplinkEvent } from '../uplinks/events.ts';
import type { UplinkView } from '../uplinks/view.ts';
import { linkRows, phaseInWords, renderUplink } from './link-table.ts';
import { bytes, duration, megabits, milliseconds, percent } from './numbers.ts';
import type { Outcome } from './outcome.ts';
import { Screen } from './screen.ts';
import type { TerminalOutput } from './screen.ts';
import { encoderAdvice, encoderUrl, inWords } from './words.ts';

/** How a sender tells what it does. */
export interface Display {
  started(view: UplinkView): void;
  event(event: UplinkEvent): void;
  /** Something to know that is no event of the uplink. */
  note(text: string): void;
  /** Once a second. */
  statistics(view: UplinkView): void;
  /** `last`: null when it had not begun. */
  ended(outcome: Outcome, last: UplinkView | null): void;
}

export interface Output extends TerminalOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  on?(event: 'resize', listener: () => void): unknown;
}

const DEFAULT_COLUMNS = 80;
/** Statistics come once a second, now and then a little early. */
const HALF_SECOND_MS = 500;

/** A table that is drawn in its place, and above it what happens. */
export class TerminalDisplay implements Display {
  readonly #out: Output;
  readonly #screen: Screen;
  #view: UplinkView | undefined;

  constructor(out: Output) {
    this.#out = out;
    this.#screen = new Screen(out);
    out.on?.('resize', () => this.#screen.resized(this.#frame()));
    // The cursor is somebody else's when we are gone, however that comes about.
    process.once('exit', () => this.#screen[Symbol.dispose]());
  }

  started(view: UplinkView): void {
    this.#screen.print([...encoderAdvice(view), '']);
    this.statistics(view);
  }

  event(event: UplinkEvent): void {
    this.#print(event.unixMs, inWords(event));
  }

  note(text: string): void {
    this.#print(Date.now(), text);
  }

  statistics(view: UplinkView): void {
    this.#view = view;
    this.#screen.draw(this.#frame());
  }

  ended(outcome: Outcome, last: UplinkView | null): void {
    if (last !== null) this.statistics(last);
    this.#print(Date.now(), summary(outcome, last));
    this.#screen[Symbol.dispose]();
  }

  #print(unixMs: number, text: string): void {
    this.#screen.print([`${new Date(unixMs).toTimeString().slice(0, 8)}  ${text}`]);
  }

  #frame(): string[] {
    if (this.#view === undefined) return [];
    // Terminals that do not know their size say that it is 0.
    return renderUplink(this.#view, this.#out.columns || DEFAULT_COLUMNS, Date.now());
  }
}

/** Lines for a log. */
export class PlainDisplay implements Display {
  readonly #out: TerminalOutput;
  readonly #intervalMs: number;
  #toldMs = performance.now();

  /** `intervalMs`: between lines of statistics; 0 for none. */
  constructor(out: TerminalOutput, intervalMs: number) {
    this.#out = out;
    this.#intervalMs = intervalMs;
  }

  started(view: UplinkView): void {
    for (const line of encoderAdvice(view)) this.#out.write(`${line}\n`);
  }

  event(event: UplinkEvent): void {
    this.#line(event.unixMs, inWords(event));
  }

  note(text: string): void {
    this.#line(Date.now(), text);
  }

  statistics(view: UplinkView): void {
    if (this.#intervalMs === 0 || performance.now() - this.#toldMs < this.#intervalMs - HALF_SECOND_MS) return;
    this.#toldMs = performance.now();
    const links = view.links.map((link) => {
      const { settings, share, statistics } = link;
      const figures =
        statistics === null
          ? []
          : [
              `${megabits(statistics.bitrateBps)} Mbit/s`,
              milliseconds(statistics.rttMs),
              `in flight ${statistics.inFlightPackets}`,
              `NAK ${statistics.naks}`,
              percent(share),
            ];
      return [`${settings.name} ${phaseInWords(link)}`, ...figures].join(' ');
    });
    this.#line(Date.now(), [`${megabits(view.bitrateBps)} Mbit/s`, ...links].join(' | '));
  }

  ended(outcome: Outcome, last: UplinkView | null): void {
    if (last !== null) for (const row of linkRows(last.links, Infinity)) this.#out.write(`${row}\n`);
    this.#line(Date.now(), summary(outcome, last));
  }

  #line(unixMs: number, text: string): void {
    this.#out.write(`${new Date(unixMs).toISOString()} ${text}\n`);
  }
}

/** A JSON object a line: `type` is started, event, note, statistics or ended. */
export class JsonDisplay implements Display {
  readonly #out: TerminalOutput;

  constructor(out: TerminalOutput) {
    this.#out = out;
  }

  started(uplink: UplinkView): void {
    const { listenAddress, listenPort } = uplink;
    this.#line({ type: 'started', pid: process.pid, encoderUrl: encoderUrl(listenAddress, listenPort), uplink });
  }

  event(event: UplinkEvent): void {
    this.#line({ type: 'event', event });
  }

  note(text: string): void {
    this.#line({ type: 'note', text });
  }

  statistics(uplink: UplinkView): void {
    this.#line({ type: 'statistics', uplink });
  }

  ended(outcome: Outcome, uplink: UplinkView | null): void {
    this.#line({ type: 'ended', ...outcome, uplink });
  }

  #line(object: object): void {
    this.#out.write(`${JSON.stringify({ unixMs: Date.now(), ...object })}\n`);
  }
}

function summary({ reason }: Outcome, last: UplinkView | null): string {
  if (last === null) return `ended: ${reason}`;
  const sent = last.links.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
  return `ended after ${duration(Date.now() - last.createdMs)}, ${bytes(sent)}: ${reason}`;
}
