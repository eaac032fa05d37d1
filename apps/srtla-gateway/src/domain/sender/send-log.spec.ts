import { describe, expect, test } from '@jest/globals';
import { addSequence, sequenceDistance } from '@mediaplane/srtla';
import fc from 'fast-check';
import { NO_LINK, NO_SEQUENCE, SendLog } from './send-log.ts';

const MS = 1000;
const WRAP = 2 ** 31;

/** Sends packets `from`, `from` + 1, ... by links in turn; returns the log. */
function filled(from: number, count: number, links = 2, capacity = 64): SendLog {
  const log = new SendLog(capacity, links);
  for (let i = 0; i < count; i += 1) log.sent(addSequence(from, i), i % links, i * MS);
  return log;
}
const inFlight = (log: SendLog): number[] => [log.inFlight(0), log.inFlight(1)];

describe('SendLog', () => {
  test('a packet is in flight on the link that carried it until it is settled, once', () => {
    const log = filled(100, 10);
    expect(inFlight(log)).toEqual([5, 5]);
    expect(log.settle(103)).toBe(1);
    expect(log.settle(103)).toBe(NO_LINK);
    expect(log.settle(500)).toBe(NO_LINK);
    expect(inFlight(log)).toEqual([5, 4]);
  });

  test('sent again it belongs to the link that had it last', () => {
    const log = filled(100, 10);
    log.sent(104, 1, 20 * MS);
    expect(inFlight(log)).toEqual([4, 6]);
    expect(log.settle(104)).toBe(1);
  });

  test('an SRT acknowledgement settles what is below it, not the packet that it names', () => {
    const log = filled(100, 10);
    expect(log.acknowledgeBelow(104)).toBe(true);
    expect(inFlight(log)).toEqual([3, 3]);
    expect(log.settle(104)).toBe(0);
  });

  test('copies and older ones say nothing new, nor do those of packets that were never sent', () => {
    const log = filled(100, 10);
    log.acknowledgeBelow(104);
    expect([104, 103, 111, 50_000].map((sequence) => log.acknowledgeBelow(sequence))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(inFlight(log)).toEqual([3, 3]);
    expect(log.acknowledgeBelow(110)).toBe(true);
    expect(inFlight(log)).toEqual([0, 0]);
  });

  test('what another session had in flight is nobody’s when the next begins, also before its first packet', () => {
    const log = filled(100, 10);
    log.clear();
    expect([log.arrived(103), log.settle(104)]).toEqual([NO_LINK, NO_LINK]);
    expect(inFlight(log)).toEqual([0, 0]);
    log.orphan(0);
    expect(log.orphans).toBe(0);
  });

  test('goes on across the wrap', () => {
    const log = filled(WRAP - 5, 10);
    expect(log.acknowledgeBelow(WRAP - 1)).toBe(true);
    expect(inFlight(log)).toEqual([3, 3]);
    expect(log.acknowledgeBelow(3)).toBe(true);
    expect(inFlight(log)).toEqual([1, 1]);
    expect(log.settle(3)).toBe(0);
  });

  test('an encoder that begins anew, lower or higher, is acknowledged like the first', () => {
    for (const again of [5, 1_900_000_000]) {
      const log = filled(1_000_000_000, 10);
      for (let i = 0; i < 4; i += 1) log.sent(again + i, 0, 20 * MS);
      expect(inFlight(log)).toEqual([4, 0]);
      expect(log.acknowledgeBelow(1_000_000_005)).toBe(false);
      expect(log.acknowledgeBelow(again + 3)).toBe(true);
      expect(inFlight(log)).toEqual([1, 0]);
    }
  });

  test('what falls out of the log is in flight no more, and coming back late it does not push out what is newer', () => {
    const log = filled(0, 100);
    expect(inFlight(log)).toEqual([32, 32]);
    expect([log.sent(10, 1, 200 * MS), log.sent(99, 1, 200 * MS)]).toEqual([false, true]);
    expect(inFlight(log)).toEqual([32, 32]);
    expect([log.settle(10), log.settle(74)]).toEqual([NO_LINK, 0]);
  });

  test('tells how old a packet is, also when the millisecond clock wraps, after 25 days', () => {
    const log = new SendLog(64, 1);
    const startUs = (2 ** 31 - 10) * 1000;
    log.sent(1, 0, startUs);
    expect(log.ageMs(1, startUs + 30 * MS)).toBe(30);
  });

  test('goes through what a link has in flight, the oldest first', () => {
    const log = filled(WRAP - 3, 8);
    log.settle(WRAP - 1);
    const all: number[] = [];
    for (
      let at = log.nextInFlight(1 << 0, log.oldest);
      at !== NO_SEQUENCE;
      at = log.nextInFlight(1 << 0, addSequence(at, 1))
    )
      all.push(at);
    expect(all).toEqual([WRAP - 3, 1, 3]);
    expect(log.nextInFlight(1 << 0, 4)).toBe(NO_SEQUENCE);
  });

  test('an arrival proves the link that carried the packet alone, as far as that packet', () => {
    const log = new SendLog(64, 2);
    for (let i = 0; i < 10; i += 1) log.sent(100 + i, i % 2, 0, 1 + (i >> 1));
    const proven = (): number[] => [log.proven(0), log.proven(1)];
    expect(log.arrived(104)).toBe(0);
    expect(log.arrived(100)).toBe(0);
    expect(proven()).toEqual([3, 0]);
    log.sent(102, 1, 0, 6);
    expect([log.arrived(102), ...proven()]).toEqual([1, 3, 0]);
    log.settle(103);
    log.sent(103, 0, 0, 6);
    log.acknowledgeBelow(104);
    expect(proven()).toEqual([3, 1]);
    expect(log.carriers(103)).toBe(0b11);
    // Unless the receiver says by whom it came.
    log.arrivedBy(102, 0);
    expect(proven()).toEqual([3, 1]);
    log.arrivedBy(102, 1);
    expect(proven()).toEqual([3, 6]);
  });

  test('what a link that is gone had in flight is still to be delivered, and is no other’s of its number', () => {
    const log = filled(100, 10);
    log.orphan(1);
    expect([inFlight(log), log.orphans]).toEqual([[5, 0], 5]);
    expect([log.nextInFlight(0, log.oldest), log.nextInFlight(0, 102)]).toEqual([101, 103]);
    log.sent(101, 1, 0);
    expect([inFlight(log), log.orphans]).toEqual([[5, 1], 4]);
    log.acknowledgeBelow(110);
    expect([inFlight(log), log.orphans]).toEqual([[0, 0], 0]);
  });

  test('the echo of what went out once, by one link, tells the round trip', () => {
    const log = new SendLog(64, 3);
    log.sent(1, 0, 0);
    expect([log.echoMs(1, 0, 30 * MS), log.echoMs(1, 1, 30 * MS), log.echoMs(2, 0, 30 * MS)]).toEqual([30, -1, -1]);
    log.sent(1, 0, 10 * MS);
    expect(log.echoMs(1, 0, 30 * MS)).toBe(-1);
    log.sent(2, 0, 0);
    log.alsoSent(2, 1);
    expect([log.echoMs(2, 0, 30 * MS), log.carriers(2)]).toEqual([-1, 0b11]);
    // Its deadline counts from the first time.
    log.sent(2, 2, 20 * MS);
    expect(log.ageMs(2, 30 * MS)).toBe(30);
  });

  test('another session begins empty', () => {
    const log = filled(100, 10);
    log.clear();
    expect([inFlight(log), log.oldest, log.acknowledgeBelow(105)]).toEqual([[0, 0], NO_SEQUENCE, false]);
    log.sent(103, 1, 0);
    expect([inFlight(log), log.carriers(103), log.carriers(102)]).toEqual([[0, 1], 0b10, 0]);
  });

  test.each([
    [3, 2],
    [1, 2],
    [64, 0],
    [64, 17],
  ])('%p places and %p links are refused', (capacity, links) => {
    expect(() => new SendLog(capacity, links)).toThrow(RangeError);
  });

  test('does what a map from sequence to link does', () => {
    const CAPACITY = 32;
    const step = fc.oneof(
      fc.record({ kind: fc.constant('next' as const), link: fc.nat(2) }),
      fc.record({ kind: fc.constant('again' as const), link: fc.nat(2), back: fc.nat(40) }),
      fc.record({ kind: fc.constant('settle' as const), back: fc.nat(40) }),
      fc.record({ kind: fc.constant('below' as const), back: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.nat(WRAP - 1), fc.array(step, { maxLength: 200 }), (start, steps) => {
        const log = new SendLog(CAPACITY, 3);
        const model = new Map<number, number>();
        let newest = start;
        let acknowledged = start;
        log.sent(start, 0, 0);
        model.set(start, 0);
        for (const operation of steps) {
          if (operation.kind === 'next') {
            newest = addSequence(newest, 1);
            log.sent(newest, operation.link, 0);
            model.set(newest, operation.link);
            model.delete(addSequence(newest, -CAPACITY));
            continue;
          }
          const sequence = addSequence(newest, -operation.back);
          const known = sequenceDistance(acknowledged, sequence) >= 0 && operation.back < CAPACITY;
          if (operation.kind === 'again') {
            log.sent(sequence, operation.link, 0);
            if (known) model.set(sequence, operation.link);
          } else if (operation.kind === 'settle') {
            expect(log.settle(sequence)).toBe(model.get(sequence) ?? NO_LINK);
            model.delete(sequence);
          } else {
            const news = sequenceDistance(acknowledged, sequence) > 0;
            expect(log.acknowledgeBelow(sequence)).toBe(news);
            if (news) acknowledged = sequence;
            for (const key of [...model.keys()]) if (sequenceDistance(key, acknowledged) > 0) model.delete(key);
          }
        }
        for (const link of [0, 1, 2]) {
          expect(log.inFlight(link)).toBe([...model.values()].filter((owner) => owner === link).length);
        }
      }),
    );
  });
});
