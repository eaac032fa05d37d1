import { describe, expect, test } from '@jest/globals';
import { Capacity, staticLimit } from './capacity.ts';

const limits = { maxSessions: 5000, portCount: 20_000, maxDescriptors: 1_000_000, loopLagTargetMs: 50 };
const needs = { ports: 2, descriptors: 2 };

describe('the static limit is the least of', () => {
  test.each([
    ['configuration', {}, 5000],
    ['ports', { portCount: 301 }, 150],
    ['descriptors', { maxDescriptors: 1256 }, 500],
    ['nothing that is unknown', { maxDescriptors: undefined }, 5000],
    ['never below 0', { maxDescriptors: 10 }, 0],
  ])('%s', (_name, changed, expected) => {
    expect(staticLimit({ ...limits, ...changed }, needs)).toBe(expected);
  });

  test('a service without ports of its own is not bound by them', () => {
    expect(staticLimit({ ...limits, portCount: 0 }, { ports: 0, descriptors: 1 })).toBe(5000);
  });
});

describe('a lagging event loop', () => {
  test('one slow second changes nothing; two stop the intake; good ones bring it back step by step', () => {
    let used = 100;
    const capacity = new Capacity(limits, needs, () => used);
    capacity.onLoopLag(80);
    expect(capacity.snapshot()).toEqual({ limit: 5000, used: 100 });
    capacity.onLoopLag(80);
    expect(capacity.snapshot()).toEqual({ limit: 100, used: 100 });
    used = 90;
    capacity.onLoopLag(80);
    expect(capacity.snapshot()).toEqual({ limit: 90, used: 90 });
    capacity.onLoopLag(1);
    expect(capacity.snapshot().limit).toBe(340);
    for (let second = 0; second < 20; second += 1) capacity.onLoopLag(1);
    expect(capacity.snapshot().limit).toBe(5000);
  });
});
