const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_TO_LINE_END = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';
const CLEAR_ALL = '\u001b[2J\u001b[H';
const DEFAULT_ROWS = 24;

export interface TerminalOutput {
  write(text: string): unknown;
  readonly rows?: number;
}

/**
 * Some lines at the bottom of a terminal that are drawn again in their place, with others that scroll away above them. Whatever is drawn
 * leaves in one write, and only what is new is cleared first: nothing flickers. Lines must fit the terminal's width.
 */
export class Screen implements Disposable {
  readonly #out: TerminalOutput;
  #frame: readonly string[] = [];
  #isOpen = false;

  constructor(out: TerminalOutput) {
    this.#out = out;
  }

  draw(frame: readonly string[]): void {
    const top = this.#top();
    this.#begin(frame);
    this.#out.write(`${top}${this.#text()}${CLEAR_BELOW}`);
  }

  /** Above the frame, to stay. These lines may be of any length. */
  print(lines: readonly string[]): void {
    const text = lines.map((line) => `${line}\n`).join('');
    this.#out.write(`${this.#top()}${CLEAR_BELOW}${text}${this.#text()}`);
  }

  /** The terminal has another width: what it made of the lines that were there is unknown. */
  resized(frame: readonly string[]): void {
    if (!this.#isOpen) return;
    this.#begin(frame);
    this.#out.write(`${CLEAR_ALL}${this.#text()}`);
  }

  /** Leaves the frame where it is, and the cursor below it. Idempotent. */
  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#frame = [];
    this.#out.write(`\n${SHOW_CURSOR}`);
  }

  /** A frame that is higher than the terminal could not be drawn over. One that does not know its size says that it is 0. */
  #begin(frame: readonly string[]): void {
    this.#frame = frame.slice(0, Math.max((this.#out.rows || DEFAULT_ROWS) - 1, 1));
  }

  #top(): string {
    const start = this.#isOpen ? '' : HIDE_CURSOR;
    this.#isOpen = true;
    return this.#frame.length > 1 ? `${start}\r\u001b[${this.#frame.length - 1}A` : `${start}\r`;
  }

  #text(): string {
    return this.#frame.map((line) => `${line}${CLEAR_TO_LINE_END}`).join('\n');
  }
}
