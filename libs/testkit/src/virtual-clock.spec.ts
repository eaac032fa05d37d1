import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  test('timers fire at their time, in order of time and then of setting; cancelled ones do not', () => {
    const timers = fc.array(fc.record({ dueUs: fc.nat(50), isCancelled: fc.boolean() }), { maxLength: 60 });
    fc.assert(
      fc.property(timers, fc.nat(60), (wanted, untilUs) => {
        const clock = new VirtualClock();
        const fired: number[] = [];
        wanted.forEach(({ dueUs, isCancelled }, index) => {
          const timer = clock.at(dueUs, () => {
            expect(clock.nowUs).toBe(dueUs);
            fired.push(index);
          });
          if (isCancelled) timer.cancel();
        });
        clock.runUntil(untilUs);
        const expected = wanted
          .map((timer, index) => ({ ...timer, index }))
          .filter(({ dueUs, isCancelled }) => !isCancelled && dueUs <= untilUs)
          .sort((a, b) => a.dueUs - b.dueUs || a.index - b.index)
          .map(({ index }) => index);
        expect(fired).toEqual(expected);
        expect(clock.nowUs).toBe(untilUs);
      }),
    );
  });

  test('a timer may set and cancel others, also for now and for the past', () => {
    const clock = new VirtualClock();
    const fired: string[] = [];
    const never = clock.after(20, () => fired.push('never'));
    clock.after(10, () => {
      fired.push('first');
      clock.at(0, () => fired.push(`past at ${clock.nowUs}`));
      clock.after(5, () => fired.push('later'));
      never.cancel();
    });
    expect(clock.nextUs).toBe(10);
    clock.run(15);
    expect(fired).toEqual(['first', 'past at 10', 'later']);
    expect(clock.nextUs).toBe(Infinity);
    expect(clock.step()).toBe(false);
    clock.runUntil(3);
    expect(clock.nowUs).toBe(15);
  });
});
