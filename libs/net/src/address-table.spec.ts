import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { AddressTable } from './address-table.ts';
import { SocketAddress } from './socket-address.ts';
import type { AddressWords } from './socket-address.ts';

const v4 = (host: number, port: number): SocketAddress => new SocketAddress().set(0, 0, 0xffff, host, port);

describe('AddressTable', () => {
  test('tells hosts and ports apart, IPv4 from IPv6', () => {
    const table = new AddressTable(1);
    table.set(v4(0x0a000001, 5000), 7);
    expect(table.get(v4(0x0a000001, 5000))).toBe(7);
    expect(table.get(v4(0x0a000001, 5001))).toBe(-1);
    expect(table.get(v4(0x0a000002, 5000))).toBe(-1);
    expect(table.get(new SocketAddress().set(0, 0, 0, 0x0a000001, 5000))).toBe(-1);
    table.set(v4(0x0a000001, 5000), 8);
    expect(table.get(v4(0x0a000001, 5000))).toBe(8);
    expect(table.size).toBe(1);
  });

  test('port 0 is nobody', () => {
    const table = new AddressTable(1);
    expect(() => table.set(v4(1, 0), 1)).toThrow(RangeError);
    expect(table.get(v4(1, 0))).toBe(-1);
    expect(table.delete(v4(1, 0))).toBe(false);
  });

  test('does what a Map does, through growth and removals of neighbours', () => {
    // Few hosts and ports, so that operations meet the same addresses again.
    const address = fc.record({
      w0: fc.constantFrom(0, -1),
      w1: fc.constant(0),
      w2: fc.constantFrom(0xffff, 0),
      w3: fc.integer({ min: -3, max: 12 }),
      port: fc.integer({ min: 1, max: 6 }),
    });
    const operation = fc.record({ address, value: fc.nat(), kind: fc.constantFrom('set', 'set', 'delete') });
    const key = ({ w0, w1, w2, w3, port }: AddressWords): string => [w0, w1, w2, w3, port].join();
    fc.assert(
      fc.property(fc.integer(), fc.array(operation, { maxLength: 300 }), (seed, operations) => {
        const table = new AddressTable(seed);
        const model = new Map<string, number>();
        for (const { address: at, value, kind } of operations) {
          if (kind === 'set') {
            table.set(at, value);
            model.set(key(at), value);
          } else {
            expect(table.delete(at)).toBe(model.delete(key(at)));
          }
          expect(table.size).toBe(model.size);
        }
        for (const { address: at } of operations) expect(table.get(at)).toBe(model.get(key(at)) ?? -1);
      }),
    );
  });

  test('thousands of ports of one host, and half of them gone again', () => {
    const table = new AddressTable(0x1234567);
    for (let port = 1; port <= 3200; port += 1) table.set(v4(0x0a000001, port), port);
    for (let port = 1; port <= 3200; port += 1) expect(table.get(v4(0x0a000001, port))).toBe(port);
    for (let port = 1; port <= 3200; port += 2) expect(table.delete(v4(0x0a000001, port))).toBe(true);
    expect(table.size).toBe(1600);
    expect(table.get(v4(0x0a000001, 2))).toBe(2);
    expect(table.get(v4(0x0a000001, 3))).toBe(-1);
  });
});
