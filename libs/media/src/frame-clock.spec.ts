import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FRAME_US, FrameClock } from './frame-clock.ts';

describe('FrameClock', () => {
  test('gives each member one frame per 20 ms, exactly 20 ms apart in nominal time', () => {
    const clock = new FrameClock(0);
    clock.add(0);
    const dues: number[] = [];
    for (let nowUs = 0; nowUs <= 1_000_000; nowUs += 700) clock.advance(nowUs, (_, dueUs) => dues.push(dueUs));
    expect(dues.length).toBeGreaterThanOrEqual(49);
    for (let i = 1; i < dues.length; i += 1) expect(dues[i] - dues[i - 1]).toBe(FRAME_US);
  });

  test('spreads members evenly over the frame', () => {
    const clock = new FrameClock(0);
    for (let member = 0; member < 200; member += 1) clock.add(member);
    clock.advance(FRAME_US, () => undefined);
    const perPhase = new Map<number, number>();
    clock.advance(2 * FRAME_US, (_, dueUs) => perPhase.set(dueUs, (perPhase.get(dueUs) ?? 0) + 1));
    expect([...perPhase.values()]).toEqual(Array.from({ length: 20 }, () => 10));
  });

  test('catches up after a short stall and skips, counted, after a long one', () => {
    const clock = new FrameClock(0);
    clock.add(0);
    let frames = 0;
    clock.advance(100_000, () => (frames += 1));
    expect(frames).toBe(5);
    clock.advance(10_100_000, () => (frames += 1));
    expect(frames).toBe(15);
    expect(clock.skipped).toBe(490);
  });

  test('no member is run twice in a tick, whoever joins or leaves in a callback', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(60), fc.nat(60)), { minLength: 1, maxLength: 80 }), (moves) => {
        const clock = new FrameClock(0);
        for (let member = 0; member < 60; member += 1) clock.add(member);
        const last = new Map<number, number>();
        let next = 0;
        for (let nowUs = 0; nowUs <= 200_000; nowUs += 1000) {
          clock.advance(nowUs, (member, dueUs) => {
            expect(clock.has(member)).toBe(true);
            expect(last.get(member)).not.toBe(dueUs);
            last.set(member, dueUs);
            const [leaves, joins] = moves[next++ % moves.length];
            clock.remove(leaves);
            clock.add(joins);
          });
        }
      }),
      { numRuns: 30 },
    );
  });

  test('tells when the next member is due', () => {
    const clock = new FrameClock(0);
    expect(clock.nextDueUs(0, 100_000)).toBe(100_000);
    clock.add(0);
    const dueUs = clock.nextDueUs(0, 100_000);
    const dues: number[] = [];
    clock.advance(FRAME_US, (_, at) => dues.push(at));
    expect(dues).toEqual([dueUs]);
  });
});
