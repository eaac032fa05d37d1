import { describe, expect, test } from '@jest/globals';
import { Screen } from './screen.ts';

/** The least of a terminal: what stands where after cursor movements, and how often it was written to. */
class FakeTerminal {
  lines = [''];
  row = 0;
  column = 0;
  cursor = true;
  writes = 0;
  rows = 24;

  write(text: string): void {
    this.writes += 1;
    for (const [part] of text.matchAll(/\u001b\[\??\d*[A-Za-z]|[\r\n]|[^\u001b\r\n]+/g)) this.#take(part);
  }

  #take(part: string): void {
    const line = this.lines[this.row];
    if (part === '\r') this.column = 0;
    else if (part === '\n') {
      this.row += 1;
      this.column = 0;
      this.lines[this.row] ??= '';
    } else if (part === '\u001b[K') this.lines[this.row] = line.slice(0, this.column);
    else if (part === '\u001b[J') {
      this.lines[this.row] = line.slice(0, this.column);
      this.lines.length = this.row + 1;
    } else if (part === '\u001b[2J') this.lines = Array.from({ length: this.row + 1 }, () => '');
    else if (part === '\u001b[H') this.row = this.column = 0;
    else if (part === '\u001b[?25l' || part === '\u001b[?25h') this.cursor = part.endsWith('h');
    else if (/^\u001b\[\d+A$/.test(part)) this.row -= Number(part.slice(2, -1));
    else if (part.startsWith('\u001b')) throw new Error(`unknown: ${JSON.stringify(part)}`);
    else {
      this.lines[this.row] =
        line.slice(0, this.column).padEnd(this.column) + part + line.slice(this.column + part.length);
      this.column += part.length;
    }
  }
}

describe('lines that are drawn in their place', () => {
  test('a frame takes the place of the one before, whatever their heights, in one write each', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    for (const frame of [['long line', 'b', 'c'], ['short', 'x'], ['1', '2', '3', '4'], ['one']]) {
      screen.draw(frame);
      expect(terminal.lines).toEqual(frame);
    }
    expect(terminal.writes).toBe(4);
    expect(terminal.cursor).toBe(false);
  });

  test('what is printed stays above', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.print(['before']);
    screen.draw(['a', 'b']);
    screen.print(['first', 'second']);
    screen.draw(['c']);
    expect(terminal.lines).toEqual(['before', 'first', 'second', 'c']);
    expect(terminal.writes).toBe(4);
  });

  test('the end leaves the last frame, and a cursor below it', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw(['a', 'b']);
    screen[Symbol.dispose]();
    screen[Symbol.dispose]();
    expect(terminal).toMatchObject({ cursor: true, lines: ['a', 'b', ''], row: 2, column: 0, writes: 2 });
  });

  test('nothing is written at the end when nothing was before', () => {
    const terminal = new FakeTerminal();
    new Screen(terminal)[Symbol.dispose]();
    new Screen(terminal).resized([]);
    expect(terminal.writes).toBe(0);
  });

  test('a terminal of another size is begun anew; one that is too low shows the top', () => {
    const terminal = new FakeTerminal();
    const screen = new Screen(terminal);
    screen.draw(['a', 'b', 'c']);
    terminal.rows = 3;
    screen.resized(['d', 'e', 'f']);
    expect(terminal.lines.slice(0, 2)).toEqual(['d', 'e']);
    expect(terminal.lines).not.toContain('f');
  });
});
