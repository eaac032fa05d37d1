import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { UntilOpen } from './until-open.ts';

const SOME_TRIES_MS = 1300;

/** Of things that can be opened once they are named in `possible`. */
function opener(possible: Set<string>) {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  const tries: string[] = [];
  const untilOpen = new UntilOpen<string>(
    'a thing',
    async (name) => {
      tries.push(name);
      if (!possible.has(name)) throw new Error('not yet');
    },
    log,
  );
  return { untilOpen, tries, lines };
}

test('what opens at once is tried once', async () => {
  const { untilOpen, tries, lines } = opener(new Set(['a']));
  await untilOpen.begin('a', 'a');
  expect([tries, untilOpen.names, lines]).toEqual([['a'], [], []]);
});

test('what does not is tried until it does, told once; others do not wait for it', async () => {
  const possible = new Set(['b']);
  const { untilOpen, tries, lines } = opener(possible);
  await untilOpen.begin('a', 'a');
  await untilOpen.begin('b', 'b');
  expect([untilOpen.names, untilOpen.get('a')]).toEqual([['a'], 'a']);
  await sleep(SOME_TRIES_MS);
  possible.add('a');
  while (untilOpen.names.length > 0) await sleep(10);
  expect(tries.filter((name) => name === 'a').length).toBeGreaterThanOrEqual(3);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('a thing cannot be opened');
});

test('what is not wanted any more is not tried any more', async () => {
  const { untilOpen, tries } = opener(new Set());
  for (const name of ['a', 'b']) await untilOpen.begin(name, name);
  untilOpen.forget('a');
  await sleep(SOME_TRIES_MS);
  expect(tries.filter((name) => name === 'a')).toEqual(['a']);
  untilOpen.stop();
  const { length } = tries;
  await sleep(SOME_TRIES_MS);
  expect(tries).toHaveLength(length);
});
