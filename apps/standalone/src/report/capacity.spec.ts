import { expect, test } from '@jest/globals';
import { estimateCapacity, renderCapacity } from './capacity.ts';

const facts = {
  channels: 96,
  packets: 5760,
  lost: 0,
  cpuMicrosPerPacket: 7,
  mediaThreads: 1,
  cores: 2,
  sessionLimit: 5000,
};

test('70 % of each media thread, 50 packets a second', () => {
  expect(estimateCapacity(facts).channels).toBeCloseTo(2000);
  expect(estimateCapacity({ ...facts, mediaThreads: 2 }).channels).toBeCloseTo(4000);
  expect(estimateCapacity({ ...facts, mediaThreads: 8 }).channels).toBeCloseTo(4000);
});

test('ports, files or configuration may bind first, and the report says so', () => {
  expect(estimateCapacity({ ...facts, sessionLimit: 384 })).toMatchObject({ channels: 384 });
  expect(renderCapacity({ ...facts, sessionLimit: 384 }).join('\n')).toMatch(
    /about 380 channels[^]*set the limit of 384\./,
  );
  expect(renderCapacity(facts).join('\n')).not.toContain('limit');
});

test('loss in the burst is told', () => {
  expect(renderCapacity({ ...facts, lost: 1200 }).join('\n')).toContain('1,200 of them were lost');
});
