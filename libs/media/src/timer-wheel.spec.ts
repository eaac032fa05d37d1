import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TimerWheel } from './timer-wheel.ts';

const fired = (wheel: TimerWheel, nowUs: number): number[] => {
  const timers: number[] = [];
  wheel.advance(nowUs, (timer) => timers.push(timer));
  return timers;
};

describe('TimerWheel', () => {
  test('fires a timer at its deadline, not before, once', () => {
    const wheel = new TimerWheel(1_000_000);
    wheel.set(3, 1_005_000);
    expect(fired(wheel, 1_004_999)).toEqual([]);
    expect(fired(wheel, 1_005_000)).toEqual([3]);
    expect(fired(wheel, 60_000_000)).toEqual([]);
  });

  test('a deadline beyond one turn of the wheel waits for its own turn', () => {
    const wheel = new TimerWheel(0);
    wheel.set(0, 20_000_000);
    for (let nowUs = 0; nowUs < 20_000_000; nowUs += 50_000) expect(fired(wheel, nowUs)).toEqual([]);
    expect(fired(wheel, 20_000_000)).toEqual([0]);
  });

  test('a callback may cancel a timer that is due in the same advance, and set its own again', () => {
    const wheel = new TimerWheel(0);
    wheel.set(1, 1000);
    wheel.set(2, 1000);
    const seen: number[] = [];
    wheel.advance(2000, (timer) => {
      seen.push(timer);
      wheel.cancel(timer === 1 ? 2 : 1);
      wheel.set(timer, 9000);
    });
    expect(seen).toHaveLength(1);
    expect(wheel.armed).toBe(1);
    expect(fired(wheel, 9000)).toEqual(seen);
  });

  test('nextDueUs never lies beyond the first deadline by more than its tick', () => {
    const wheel = new TimerWheel(0);
    expect(wheel.nextDueUs(0, 100_000)).toBe(100_000);
    wheel.set(0, 7_400);
    expect(wheel.nextDueUs(0, 100_000)).toBe(8_000);
  });

  test('agrees with a sorted list under any sequence of set, cancel and advance', () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), timer: fc.nat(200), delayUs: fc.nat(30_000_000) }),
      fc.record({ kind: fc.constant('cancel' as const), timer: fc.nat(200) }),
      fc.record({ kind: fc.constant('advance' as const), byUs: fc.nat(12_000_000) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const wheel = new TimerWheel(0);
        const model = new Map<number, number>();
        let nowUs = 0;
        for (const op of operations) {
          if (op.kind === 'set') {
            wheel.set(op.timer, nowUs + op.delayUs);
            model.set(op.timer, nowUs + op.delayUs);
          } else if (op.kind === 'cancel') {
            wheel.cancel(op.timer);
            model.delete(op.timer);
          } else {
            // The caller never sleeps past nextDueUs; walk there as a driver would.
            const targetUs = nowUs + op.byUs;
            while (nowUs < targetUs) {
              nowUs = Math.min(targetUs, Math.max(wheel.nextDueUs(nowUs, 100_000), nowUs + 1));
              for (const timer of fired(wheel, nowUs)) {
                const dueUs = model.get(timer);
                expect(dueUs).toBeLessThanOrEqual(nowUs);
                model.delete(timer);
              }
              for (const dueUs of model.values()) expect(dueUs).toBeGreaterThan(nowUs - 2000);
            }
          }
          expect(wheel.armed).toBe(model.size);
        }
      }),
      { numRuns: 60 },
    );
  });
});
