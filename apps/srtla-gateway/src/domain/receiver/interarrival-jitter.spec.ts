import { expect, test } from '@jest/globals';
import { InterarrivalJitter } from './interarrival-jitter.ts';

const WRAP_US = 2 ** 32;

test('packets that come as they were sent have no jitter, across the wrap of either clock', () => {
  const jitter = new InterarrivalJitter();
  for (let us = WRAP_US - 50_000; us < WRAP_US + 50_000; us += 1000) jitter.add(us % WRAP_US, 7 * WRAP_US + us + 123.5);
  expect(jitter.us).toBe(0);
});

test('every other packet 1.6 ms late: each step moves the estimate by a sixteenth of what is new (RFC 3550 A.8)', () => {
  const jitter = new InterarrivalJitter();
  jitter.add(0, 10_000);
  jitter.add(1000, 12_600);
  expect(jitter.us).toBe(100);
  jitter.add(2000, 12_000);
  expect(jitter.us).toBe(100 + 1500 / 16);
  for (let i = 3; i < 200; i += 1) jitter.add(i * 1000, 10_000 + i * 1000 + (i % 2) * 1600);
  expect(jitter.us).toBeCloseTo(1600, 0);
});

test('another session begins with another clock', () => {
  const jitter = new InterarrivalJitter();
  jitter.add(0, 10_000);
  jitter.add(1000, 12_600);
  jitter.restart();
  jitter.add(3_000_000_000, 13_000);
  expect(jitter.us).toBe(0);
});
