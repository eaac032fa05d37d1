import { expect, test } from '@jest/globals';
import { TransportStreamJudge, TransportStreamSource } from './transport-stream.ts';

const payloads = (count: number): Uint8Array[] => {
  const source = new TransportStreamSource();
  return Array.from({ length: count }, (_, i) => source.next(1000 + i));
};

test('a whole stream has no errors, and tells when it was sent', () => {
  const judge = new TransportStreamJudge();
  expect(payloads(20).map((payload) => judge.take(payload))).toEqual(Array.from({ length: 20 }, (_, i) => 1000 + i));
  expect(judge.errors).toBe(0);
});

test.each<[string, (all: Uint8Array[]) => Uint8Array[]]>([
  ['a payload that is missing', (all) => all.toSpliced(3, 1)],
  ['a payload that comes twice', (all) => all.toSpliced(3, 0, all[3])],
  ['one that is cut off', (all) => all.toSpliced(3, 1, all[3].subarray(0, 1000))],
  ['one that is damaged', (all) => all.toSpliced(3, 1, all[3].with(188, 0))],
])('%s is an error', (_, harm) => {
  const judge = new TransportStreamJudge();
  for (const payload of harm(payloads(8))) judge.take(payload);
  expect(judge.errors).toBeGreaterThan(0);
});
