import { expect, test } from '@jest/globals';
import { settings } from '../../test/support/media-bench.ts';
import { latchOptions, shareFormats } from './shared-settings.ts';

test('equal formats are one object, whoever brings them; others are their own', () => {
  const mine = shareFormats(structuredClone(settings.formats));
  expect(shareFormats(structuredClone(settings.formats))).toBe(mine);
  const other = shareFormats({ ...settings.formats, receiveDtmfPayloadTypes: [96] });
  expect([other.kinds[96], mine.kinds[96]]).toEqual([mine.kinds[101], 0]);
});

test('however many formats clients think of, they are right', () => {
  for (let payloadType = 0; payloadType < 600; payloadType += 1) {
    const { kinds } = shareFormats({
      ...settings.formats,
      receiveDtmfPayloadTypes: [payloadType % 128],
      sendDtmfPayloadType: payloadType,
    });
    expect(kinds[payloadType % 128]).toBeGreaterThan(0);
  }
});

test('a latch window is in milliseconds', () => {
  expect(latchOptions(3000)).toMatchObject({ windowUs: 3_000_000 });
  expect(latchOptions(3000)).toBe(latchOptions(3000));
});
