import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AF_INET, AF_INET6, SOCKADDR_BYTES, decodeSockaddr, encodeSockaddr } from './sockaddr.ts';

const view = new DataView(new ArrayBuffer(SOCKADDR_BYTES));
const bytes = (length: number): number[] => [...new Uint8Array(view.buffer, 0, length)];

test('sockaddr_in: family in host order, port and address in network order', () => {
  expect(encodeSockaddr(view, 0, AF_INET, 0, 0, 0xffff, 0xc0000201 | 0, 5004)).toBe(16);
  expect(bytes(8)).toEqual([2, 0, 0x13, 0x8c, 192, 0, 2, 1]);
});

test('sockaddr_in6: as sockaddr_in, and no flow or scope is left of what was there before', () => {
  new Uint8Array(view.buffer).fill(0xee);
  expect(encodeSockaddr(view, 0, AF_INET6, 0x20010db8, 0, 0, 1, 5004)).toBe(28);
  const address = [0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  expect(bytes(28)).toEqual([10, 0, 0x13, 0x8c, 0, 0, 0, 0, ...address, 0, 0, 0, 0]);
});

test('what is encoded is decoded', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
  fc.assert(
    fc.property(word, word, word, word, fc.nat(65_535), (w0, w1, w2, w3, port) => {
      const words = new Int32Array(7);
      encodeSockaddr(view, 0, AF_INET6, w0, w1, w2, w3, port);
      decodeSockaddr(view, 0, words, 1);
      expect([...words]).toEqual([0, w0, w1, w2, w3, port, 0]);
      encodeSockaddr(view, 0, AF_INET, 0, 0, 0xffff, w3, port);
      decodeSockaddr(view, 0, words, 1);
      expect([...words]).toEqual([0, 0, 0, 0xffff, w3, port, 0]);
    }),
  );
});
