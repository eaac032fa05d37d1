import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { FreshSamples } from './fresh-samples.ts';

let samples: FreshSamples<string>;

beforeEach(() => {
  jest.useFakeTimers();
  samples = new FreshSamples();
});
afterEach(() => {
  jest.useRealTimers();
});

test('the last sample of each stands in the place of its first', () => {
  samples.set('a', 'one');
  samples.set('b', 'two');
  samples.set('a', 'three');
  expect([...samples]).toEqual([
    ['a', 'three'],
    ['b', 'two'],
  ]);
  samples.delete('a');
  expect([...samples]).toEqual([['b', 'two']]);
});

test('who has not been heard of for more than five seconds is not there, and when he is again he comes last', () => {
  samples.set('a', 'one');
  jest.advanceTimersByTime(3000);
  samples.set('b', 'two');
  jest.advanceTimersByTime(2000);
  expect([...samples]).toHaveLength(2);
  jest.advanceTimersByTime(1);
  expect([...samples]).toEqual([['b', 'two']]);
  samples.forgetOld();
  samples.set('a', 'three');
  expect([...samples]).toEqual([
    ['b', 'two'],
    ['a', 'three'],
  ]);
});
