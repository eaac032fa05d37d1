import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SrtControlType, SrtlaType } from '@mediaplane/srtla';
import { MS, SECOND, World } from './spec-world.ts';

/** Types that are looked into, with anything behind them; and anything at all. */
const types = [
  ...Object.values(SrtlaType),
  ...Object.values(SrtControlType).map((type) => 0x8000 | type),
  0x1234,
  0x9300,
];
const datagrams = fc
  .tuple(fc.option(fc.constantFrom(...types)), fc.uint8Array({ maxLength: 300 }))
  .map(([type, bytes]) => {
    if (type !== null && bytes.length >= 2) new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, type);
    return bytes;
  });

test('nothing that anybody sends throws, and a stream beside it goes on', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(1), datagrams), { maxLength: 60 }), (inputs) => {
      const world = new World(2, 'enhanced');
      world.run(SECOND);
      world.stream(0, 50);
      for (const [fromEncoder, link, datagram] of inputs) {
        if (fromEncoder) world.fromEncoder(datagram);
        else world.reply(link, datagram);
        world.run(2 * MS);
      }
      // Whatever the links have been told, they are up again.
      world.run(10 * SECOND);
      expect(world.sender.links.map(({ state }) => state)).toEqual(['live', 'live']);
      world.shakeHands(4711, 120);
      const before = world.arrived.length;
      for (let i = 0; i < 40; i += 1) world.send(1_000_000_000 + i);
      world.run(SECOND);
      expect(world.arrived.length - before).toBe(40);
    }),
    { numRuns: 60 },
  );
});

test('a NAK of the widest range costs no more than its packets', () => {
  const world = new World();
  world.run(SECOND);
  world.stream(0, 100);
  const { window } = world.sender.links[0];
  for (let i = 0; i < 50; i += 1) world.nak(0x8000_0000 | (2000 + i), 34_000);
  world.run(SECOND);
  expect(world.sender.links[0].window).toBeGreaterThanOrEqual(window);
});
