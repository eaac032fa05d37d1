import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ParseError } from './errors.ts';
import { HeaderExtensionCursor, HeaderExtensionWriter } from './header-extensions.ts';
import { parseRtpHeader, RtpHeader, writeRtpHeader } from './rtp-header.ts';

const cursor = new HeaderExtensionCursor();
const header = new RtpHeader();

/** The elements of a packet whose extension is given, as [id, data in hex]. */
function elements(extension: string): [number, string][] {
  return read(Uint8Array.from(Buffer.from('90000001' + '00000002' + '00000003' + extension.replace(/\s/g, ''), 'hex')));
}

function read(bytes: Uint8Array): [number, string][] {
  const view = new DataView(bytes.buffer);
  expect(parseRtpHeader(view, 0, bytes.length, header)).toBe(ParseError.none);
  cursor.begin(view, header);
  const found: [number, string][] = [];
  while (cursor.next()) {
    expect(cursor.dataOffset + cursor.dataLength).toBeLessThanOrEqual(header.payloadOffset);
    const data = bytes.subarray(cursor.dataOffset, cursor.dataOffset + cursor.dataLength);
    found.push([cursor.id, Buffer.from(data).toString('hex')]);
  }
  return found;
}

describe('HeaderExtensionCursor', () => {
  // RFC 8285 4.2: an element of 1 byte, one of 2, two bytes of padding, one of 4.
  test('reads the one-byte form', () => {
    expect(elements('bede 0003 10 aa 21 bbbb 00 00 33 cccccccc 00')).toEqual([
      [1, 'aa'],
      [2, 'bbbb'],
      [3, 'cccccccc'],
    ]);
  });

  // RFC 8285 4.3: an element without data, one of 1 byte, one byte of padding, one of 4.
  test('reads the two-byte form, whatever the application bits', () => {
    expect(elements('100f 0003 01 00 02 01 bb 00 03 04 dddddddd')).toEqual([
      [1, ''],
      [2, 'bb'],
      [3, 'dddddddd'],
    ]);
  });

  test.each([
    ['an id of 15', 'bede 0002 10 aa f0 bb 20 cc 0000', [[1, 'aa']]],
    ['an id of 0 with a length', 'bede 0002 10 aa 01 bbbb 20 cc 00', [[1, 'aa']]],
    ['data past the end', 'bede 0001 10 aa 23 bb', [[1, 'aa']]],
    ['two-byte data past the end', '1000 0001 01 03 aabb', []],
    ['a two-byte id without its length', '1000 0001 01 01 aa 02', [[1, 'aa']]],
    ['another profile', 'abcd 0001 10 aa 0000', []],
  ])('stops at %s', (_, extension, expected) => {
    expect(elements(extension)).toEqual(expected);
  });

  test('finds by id, from the beginning each time', () => {
    elements('bede 0002 10 aa 20 bb 20 cc 0000');
    expect([cursor.find(2), cursor.dataOffset, cursor.find(1), cursor.dataOffset, cursor.find(3)]).toEqual([
      ...[true, 19, true, 17, false],
    ]);
  });

  test('a packet without extension has no element', () => {
    const view = new DataView(new ArrayBuffer(12));
    writeRtpHeader(view, 0, 0, false, 1, 2, 3);
    parseRtpHeader(view, 0, 12, header);
    cursor.begin(view, header);
    expect(cursor.next()).toBe(false);
  });

  test('reads nothing outside the extension, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom('bede', '1000'), fc.uint8Array({ minLength: 32, maxLength: 32 }), (profile, data) => {
        expect(elements(`${profile}0008${Buffer.from(data).toString('hex')}`).length).toBeLessThanOrEqual(32);
      }),
    );
  });
});

test.each([
  ['one-byte', false, 1, 16, 14],
  ['two-byte', true, 0, 255, 255],
])('what is written in the %s form is read back', (_, twoByte, minLength, maxLength, maxId) => {
  const element = fc.tuple(fc.integer({ min: 1, max: maxId }), fc.uint8Array({ minLength, maxLength }));
  fc.assert(
    fc.property(fc.array(element, { maxLength: 5 }), fc.nat(3), (list, csrcCount) => {
      const bytes = new Uint8Array(12 + 4 * csrcCount + 4 + 5 * 257 + 3).fill(0xff);
      const view = new DataView(bytes.buffer);
      writeRtpHeader(view, 0, 96, true, 1, 2, 3);
      view.setUint8(0, view.getUint8(0) | csrcCount);
      const writer = new HeaderExtensionWriter();
      writer.begin(view, 0, twoByte);
      for (const [id, data] of list) bytes.set(data, writer.add(id, data.length));
      const payload = writer.finish();
      expect(read(bytes.slice(0, payload))).toEqual(list.map(([id, data]) => [id, Buffer.from(data).toString('hex')]));
      expect(header).toMatchObject({ csrcCount, payloadOffset: payload, payloadLength: 0 });
    }),
  );
});
