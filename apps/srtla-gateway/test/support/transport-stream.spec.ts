import { expect, test } from '@jest/globals';
import { TS_PACKET_BYTES, inspectTransportStream } from './transport-stream.ts';

/** Without a payload: an adaptation field alone, `flags` its first byte. */
function packet(pid: number, counter: number, adaptationFlags?: number): Buffer {
  const bytes = Buffer.alloc(TS_PACKET_BYTES, counter);
  bytes.writeUInt32BE((0x4700_0000 | (pid << 8) | (adaptationFlags === undefined ? 0x10 : 0x20) | counter) >>> 0);
  if (adaptationFlags !== undefined) bytes.set([183, adaptationFlags], 4);
  return bytes;
}

const errorsOf = (...packets: Buffer[]): readonly string[] => inspectTransportStream(Buffer.concat(packets)).errors;

test('a whole stream: counters of each PID for themselves and round, null packets anyhow', () => {
  const packets = Array.from({ length: 40 }, (_, i) => [packet(256, i & 15), packet(257, (i + 5) & 15)]).flat();
  const { errors, packets: counts } = inspectTransportStream(
    Buffer.concat([...packets, packet(0x1fff, 3), packet(0x1fff, 9)]),
  );
  expect(errors).toEqual([]);
  expect(Object.fromEntries(counts)).toEqual({ 256: 40, 257: 40, 8191: 2 });
});

test.each([
  ['one that is missing', [packet(256, 1), packet(256, 3)], 'PID 256 at 188: counter 3, not 2'],
  ['one after the other way round', [packet(256, 2), packet(256, 1)], 'PID 256 at 188: counter 1, not 3'],
  ['one that comes a third time', [packet(9, 1), packet(9, 1), packet(9, 1)], 'PID 9 at 376: counter 1, not 2'],
  ['one without payload that counts', [packet(9, 1), packet(9, 2, 0)], 'PID 9 at 188: counter 2, not 1'],
  ['a part of one', [packet(9, 1), Buffer.of(0x47)], '189 bytes are no whole packets'],
  ['what is no packet', [packet(9, 1), Buffer.alloc(TS_PACKET_BYTES)], 'no sync byte at 188'],
])('says what is wrong: %s', (_, packets, error) => {
  expect(errorsOf(...packets)).toEqual([error]);
});

test('what may be: a packet twice, one without payload, a jump that is announced', () => {
  expect(errorsOf(packet(9, 1), packet(9, 1), packet(9, 2))).toEqual([]);
  expect(errorsOf(packet(9, 1), packet(9, 1, 0), packet(9, 2))).toEqual([]);
  expect(errorsOf(packet(9, 1), packet(9, 7, 0x80), packet(9, 8))).toEqual([]);
});
