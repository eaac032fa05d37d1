import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { srtLengthWithoutPadding } from './padding.ts';
import { bytesOf, guarded, viewOf } from './spec-views.ts';

test.each([
  ['a light ACK', '80020000 00000000 000fa6ca 0dd21dbb 40000010', 20],
  ['a small ACK', '80020000 0000006a 0028196a 0dd21dbb 0fa2638a 0000083b 0000053c 0000194a', 32],
  ['a NAK', '80030000 00000000 000fa6ca 0dd21dbb 40000010', 20],
  [
    'a drop request, which libsrt reads by its first words',
    '80070000 00000000 000fa6ca 0dd21dbb 00000001 00000002',
    32,
  ],
  ['a shutdown', '80050000 00000000 000fa6ca 0dd21dbb', 32],
  ['data', '00000001 c0000001 000fa6ca 0dd21dbb 47', 32],
])('%s of 32 bytes goes on with its own length', (_, hex, length) => {
  const bytes = bytesOf(hex.replace(/\s/g, '').padEnd(64, '0'));
  expect(srtLengthWithoutPadding(viewOf(bytes), 0, bytes.length)).toBe(length);
});

test('whatever the bytes: never longer, nothing read outside', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('8002', '8003', '8000', '9000', '0000'),
      fc.uint8Array({ maxLength: 60 }),
      (type, rest) => {
        const bytes = Uint8Array.from([...bytesOf(type), ...rest]);
        expect(srtLengthWithoutPadding(guarded(bytes, 5), 5, bytes.length)).toBeLessThanOrEqual(bytes.length);
      },
    ),
    { numRuns: 1000 },
  );
});
