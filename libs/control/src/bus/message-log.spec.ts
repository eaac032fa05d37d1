import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MessageLog } from './message-log.ts';
import type { LoggedMessage } from './message-log.ts';

const message = (sequence: number, bytes = 100): LoggedMessage => ({
  sequence,
  unixMs: 1_700_000_000_000 + sequence,
  subject: `s.${sequence}`,
  messageId: `id ${sequence}`,
  headers: { 'Mp-N': `„${sequence}“\n` },
  payload: new Uint8Array(bytes).fill(sequence),
});

describe('message log', () => {
  test('gives every message back as it was, also one larger than a chunk', () => {
    const log = new MessageLog();
    const messages = [message(1), message(2, 0), message(3, 200_000), message(5), message(6, 65_000)];
    for (const one of messages) log.append(one);
    expect([...log]).toEqual(messages);
    expect(log.at(4)).toEqual(messages[3]);
    expect(log.at(7)).toBeUndefined();
    expect(log.unixMsFrom(4)).toBe(messages[3].unixMs);
    expect(log.unixMsFrom(7)).toBe(Infinity);
  });

  test('the memory of what is dropped is given back, chunk by chunk', () => {
    const log = new MessageLog();
    const kept = 1_000;
    let peak = 0;
    for (let sequence = 1; sequence <= 20_000; sequence++) {
      log.append(message(sequence));
      if (log.count > kept) log.dropFirst();
      peak = Math.max(peak, log.bytes);
    }
    expect(log.count).toBe(kept);
    expect(log.firstSequence()).toBe(19_001);
    // Payload, the two numbers and lengths, text: what a message of this test occupies.
    expect(peak / kept).toBeGreaterThan(100 + 20 + 30);
    expect(peak / kept).toBeLessThan(200);
    const payloadOf = (sequence: number): ArrayBufferLike | undefined => log.at(sequence)?.payload.buffer;
    expect(payloadOf(19_001)?.byteLength).toBe(65_536);
    expect(new Set([...log].map(({ payload }) => payload.buffer)).size).toBeLessThan(5);
  });

  test('finds what an array of messages finds', () => {
    const step = fc.oneof(
      fc.record({
        gap: fc.integer({ min: 1, max: 3 }),
        laterMs: fc.integer({ min: 0, max: 5 }),
        bytes: fc.nat(40_000),
      }),
      fc.constant('drop' as const),
    );
    const property = fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), (steps, wanted) => {
      const log = new MessageLog();
      const model: LoggedMessage[] = [];
      let last = { ...message(0), unixMs: 0 };
      for (const one of steps) {
        if (one !== 'drop') {
          last = { ...message(last.sequence + one.gap, one.bytes), unixMs: last.unixMs + one.laterMs };
          log.append(last);
          model.push(last);
        } else if (model.length > 0) {
          log.dropFirst();
          model.shift();
        }
      }
      expect(log.count).toBe(model.length);
      expect(log.at(wanted)?.sequence).toBe(model.find(({ sequence }) => sequence >= wanted)?.sequence);
      expect(log.firstSince(wanted)).toBe(model.find(({ unixMs }) => unixMs >= wanted)?.sequence);
      expect(log.firstSequence()).toBe(model[0]?.sequence);
      expect([...log].map(({ sequence }) => sequence)).toEqual(model.map(({ sequence }) => sequence));
    });
    fc.assert(property, { numRuns: 200 });
  });
});
