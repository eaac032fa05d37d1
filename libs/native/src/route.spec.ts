import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Errno } from './errno.ts';
import { decodeRouteReply, deviceName, encodeRouteRequest, queryRoute } from './route.ts';
import { AF_INET, AF_INET6 } from './sockaddr.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));
const LOOPBACK = [Uint8Array.of(127, 0, 0, 1), Uint8Array.of(...Array<number>(15).fill(0), 1)] as const;

/** Linux 6.18; two links, each with a rule for its source address and a default route in a table of its own. */
const CAPTURED = {
  /** From 10.77.2.1 to 192.0.2.9. */
  ipv4: hex(`70000000180000000700 0000263b0000 02202000fe000001 00020000 08000f00fe000000 08000100c0000209 080002000a4d0201
    0800040005000000 080005000a4d0202 0800190000000000 24000c00 0200000000000000000000000000000000000000000000000000000000000000`),
  /** From fd77:2::1 to 2001:db8::9. */
  ipv6: hex(`b0000000180000000700 0000263b0000 0a80800066030001 00000000 08000f0066000000 1400010020010db8000000000000000000000009
    14000200fd770002000000000000000000000001 14000700fd770002000000000000000000000001 0800060000040000
    14000500fd770002000000000000000000000002 0800040005000000
    24000c0002000000000000000000000000000000000000000000000000000000 00000000 0500140000000000`),
  /** From 10.77.1.1 to its neighbour 10.77.1.7. */
  onLink:
    hex(`70000000180000000700 0000263b0000 02202000fe000001 00020000 08000f00fe000000 080001000a4d0107 080002000a4d0101
    0800040003000000 080005000a4d0102 0800190000000000 24000c00 0200000000000000000000000000000000000000000000000000000000000000`),
  /** From 10.9.9.9, which is nobody's. */
  unreachable: hex(`40000000020000000700 0000263b0000 9bffffff 2c0000001a00010007000000000000000220200000000000 00000000
    08000100c0000209 080002000a090909`),
};

describe('what the kernel answered', () => {
  test('tells device and gateway', () => {
    expect(decodeRouteReply(CAPTURED.ipv4)).toEqual({ deviceIndex: 5, gateway: Uint8Array.of(10, 77, 2, 2) });
    expect(decodeRouteReply(CAPTURED.ipv6)).toEqual({
      deviceIndex: 5,
      gateway: hex('fd770002000000000000000000000002'),
    });
    expect(decodeRouteReply(CAPTURED.onLink)).toMatchObject({ deviceIndex: 3 });
  });

  test('or why it would not send', () => {
    expect(decodeRouteReply(CAPTURED.unreachable)).toEqual({ errno: Errno.ENETUNREACH });
  });

  test('whatever is cut or changed: no throw, no hang', () => {
    for (let length = 0; length < CAPTURED.ipv4.length; length++) decodeRouteReply(CAPTURED.ipv4.subarray(0, length));
    expect(decodeRouteReply(CAPTURED.ipv4.subarray(0, 40))).toBeUndefined();
    fc.assert(
      fc.property(fc.nat(175), fc.nat(255), (at, value) => {
        const bytes = CAPTURED.ipv6.slice();
        bytes[at] = value;
        decodeRouteReply(bytes);
      }),
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void decodeRouteReply(bytes)));
  });
});

test('the question: RTM_GETROUTE with both addresses', () => {
  const view = new DataView(new ArrayBuffer(64));
  const length = encodeRouteRequest(view, AF_INET, Uint8Array.of(10, 77, 1, 1), Uint8Array.of(192, 0, 2, 9));
  expect(new Uint8Array(view.buffer, 0, length)).toEqual(
    hex('2c0000001a0001000000000000000000 022020000000000000000000 08000100c0000209 080002000a4d0101'),
  );
});

test('this machine sends to itself by its loopback device', () => {
  for (const [family, address] of [
    [AF_INET, LOOPBACK[0]],
    [AF_INET6, LOOPBACK[1]],
  ] as const) {
    const reply = queryRoute(family, address, address);
    expect(reply).toMatchObject({ gateway: null });
    expect(deviceName(reply?.errno === undefined ? (reply?.deviceIndex ?? 0) : 0)).toBe('lo');
  }
  expect(() => deviceName(0x7fffffff)).toThrow(expect.objectContaining({ call: 'if_indextoname' }));
  expect(() => queryRoute(AF_INET, LOOPBACK[1], LOOPBACK[1])).toThrow(RangeError);
});
