import { pino, symbols } from 'pino';
import type { DestinationStream } from 'pino';

/** A busy turn is written in parts of this size. */
const MAX_WAITING_CHARACTERS = 64 * 1024;

/** The part of `process` that is needed, for tests. */
export interface Exiting {
  once(event: 'exit', listener: () => void): unknown;
}

/**
 * Writes the lines of one turn of the event loop at once, at its end: a write for each line would cost a busy service a system call
 * and more time than the line itself. An error goes out when it happens, with all that was said before it. When the process
 * ends in order or by an exception, the rest is written; only a kill takes the lines of its turn with it.
 */
export function turnLines(out: DestinationStream, exiting: Exiting): DestinationStream {
  let waiting = '';
  let due = false;
  const flush = (): void => {
    due = false;
    if (waiting === '') return;
    const text = waiting;
    waiting = '';
    out.write(text);
  };
  exiting.once('exit', flush);
  const lines = {
    // Makes pino tell the level of each line.
    [symbols.needsMetadataGsym]: true,
    lastLevel: 0,
    write(line: string): void {
      waiting += line;
      if (lines.lastLevel >= pino.levels.values['error'] || waiting.length >= MAX_WAITING_CHARACTERS) flush();
      else if (!due) {
        due = true;
        setImmediate(flush);
      }
    },
  };
  return lines;
}
