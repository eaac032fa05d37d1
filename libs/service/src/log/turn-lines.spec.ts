import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { turnLines } from './turn-lines.ts';

function logged() {
  const writes: string[] = [];
  const exiting = new EventEmitter();
  const log = pino({ base: null, timestamp: false }, turnLines({ write: (text) => void writes.push(text) }, exiting));
  /** The messages of each write. */
  const messages = (): string[][] =>
    writes.map((text) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)['msg']),
    );
  return { log, messages, exiting };
}

test('lines of one turn are one write, at its end', async () => {
  const { log, messages } = logged();
  log.info('a');
  log.warn('b');
  expect(messages()).toEqual([]);
  await nextTurn();
  log.info('c');
  await nextTurn();
  await nextTurn();
  expect(messages()).toEqual([['a', 'b'], ['c']]);
});

test('an error is written when it happens, after what was said before it', async () => {
  const { log, messages } = logged();
  log.info('a');
  log.error('b');
  expect(messages()).toEqual([['a', 'b']]);
  log.info('c');
  await nextTurn();
  expect(messages()).toEqual([['a', 'b'], ['c']]);
});

test('the end of the process loses nothing', () => {
  const { log, messages, exiting } = logged();
  log.info('stopped');
  exiting.emit('exit');
  expect(messages()).toEqual([['stopped']]);
});

test('a turn with very much to say does not keep it all', () => {
  const { log, messages } = logged();
  for (let i = 0; i < 3; i += 1) log.info('x'.repeat(40_000));
  expect(messages()).toHaveLength(1);
  expect(messages()[0]).toHaveLength(2);
});
