import { styleText } from 'node:util';
import type { DestinationStream } from 'pino';

/** Always the same in one terminal, so not worth its width there. */
const HIDDEN = new Set(['level', 'time', 'msg', 'service', 'instance', 'err', 'trace_id', 'span_id']);
const COLOURS = { trace: 'gray', debug: 'gray', info: 'green', warn: 'yellow', error: 'red', fatal: 'red' } as const;

/** For people at a terminal: `12:04:05.123 info  rtp-channel  serving  port=7070`. */
export function prettyLines(out: DestinationStream): DestinationStream {
  return {
    write(line) {
      const record = parsed(line);
      if (record === undefined) return out.write(line);
      const level = String(record['level']);
      const colour = isLevel(level) ? COLOURS[level] : 'white';
      const fields = Object.entries(record)
        .filter(([key]) => !HIDDEN.has(key))
        .map(([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
      const head = `${String(record['time']).slice(11, 23)} ${styleText(colour, level.padEnd(5))}`;
      const parts = [
        head,
        String(record['service'] ?? ''),
        String(record['msg'] ?? ''),
        styleText('gray', fields.join(' ')),
      ];
      out.write(`${parts.filter((part) => part !== '').join('  ')}${stackOf(record['err'])}\n`);
    },
  };
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isLevel(level: string): level is keyof typeof COLOURS {
  return Object.hasOwn(COLOURS, level);
}

function stackOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stack' in error ? `\n${String(error.stack)}` : '';
}
