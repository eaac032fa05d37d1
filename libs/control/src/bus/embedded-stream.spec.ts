import { beforeEach, describe, expect, test } from '@jest/globals';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { EmbeddedStream } from './embedded-stream.ts';

const NOTHING = new Uint8Array(0);
const MINUTE_MS = 60_000;

describe('embedded stream', () => {
  let clock: VirtualClock;
  beforeEach(() => {
    clock = new VirtualClock();
  });

  const make = (maxBytes: number): EmbeddedStream =>
    new EmbeddedStream({ subjects: ['s.>'], maxAgeMs: 10 * MINUTE_MS, maxBytes }, clock);
  const publish = (stream: EmbeddedStream, messageId: string, headers = {}): Promise<number> =>
    stream.publish('s.x', NOTHING, { messageId, headers });

  test('the byte limit is one of memory: subject, headers and index count', async () => {
    const stream = make(20_000);
    for (let i = 0; i < 1_000; i++) await publish(stream, `${i}`, { 'Mp-Padding': 'x'.repeat(180) });
    const { messages, bytes } = await stream.info();
    expect(bytes).toBeLessThanOrEqual(20_000);
    expect(messages).toBeGreaterThan(50);
    expect(messages).toBeLessThan(100);
  });

  test('a message id goes with its message: trimmed', async () => {
    const stream = make(400);
    const first = await publish(stream, 'first');
    expect(await publish(stream, 'first')).toBe(first);
    for (let i = 0; i < 20; i++) await publish(stream, `${i}`);
    expect((await stream.info()).firstSequence).toBeGreaterThan(first);
    expect(await publish(stream, 'first')).toBe(22);
    expect(await publish(stream, '19')).toBe(21);
  });

  test('a message id goes with its message: purged', async () => {
    const stream = make(1_000_000);
    await publish(stream, 'first');
    await stream.publish('s.y', NOTHING, { messageId: 'kept' });
    await stream.purge({ filterSubject: 's.x' });
    expect(await publish(stream, 'kept')).toBe(2);
    expect(await publish(stream, 'first')).toBe(3);
    await stream.purge();
    expect(await publish(stream, 'first')).toBe(4);
  });

  test('a message id is known for two minutes', async () => {
    const stream = make(1_000_000);
    await publish(stream, 'first');
    await clock.advance(MINUTE_MS);
    await publish(stream, 'second');
    expect(await publish(stream, 'first')).toBe(1);
    await clock.advance(MINUTE_MS + 2_000);
    expect(await publish(stream, 'first')).toBe(3);
    expect(await publish(stream, 'second')).toBe(2);
    await stream.purge();
    await clock.advance(10 * MINUTE_MS);
    expect(await publish(stream, 'first')).toBe(4);
  });

  test('what is too old is gone', async () => {
    const stream = make(1_000_000);
    for (let i = 0; i < 3; i++) {
      await publish(stream, `${i}`);
      await clock.advance(4 * MINUTE_MS);
    }
    expect(await stream.info()).toMatchObject({ firstSequence: 2, messages: 2 });
  });
});
