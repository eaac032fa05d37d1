import { describe, expect, test } from '@jest/globals';
import type { SchedulingMode } from './options.ts';
import { SrtPeers } from './spec-srt-peers.ts';
import { MS, SECOND, World } from './spec-world.ts';
import type { Wire } from './spec-world.ts';

/** 4.3 Mbit/s. */
const STREAM = { packetsPerSecond: 400, packetBytes: 1332, latencyMs: 300 };
const SECONDS = 20;
const DEEP_QUEUE_US = 3 * SECOND;

function stream(mode: SchedulingMode, links: number, goodBps: number, spoil: (wire: Wire) => void) {
  const world = new World(links, mode);
  world.run(2 * SECOND);
  for (const wire of world.wires) Object.assign(wire, { rateBps: goodBps, queueUs: 500 * MS });
  spoil(world.wires[0]);
  const peers = new SrtPeers(world, { ...STREAM, seconds: SECONDS });
  peers.run();
  return { world, peers };
}

const SPOILS: [string, (wire: Wire) => void][] = [
  ['that loses every fifth packet', (wire) => (wire.loss = 0.2)],
  ['that takes two seconds', (wire) => (wire.delayUs = SECOND)],
  [
    'that carries 500 kbit/s behind a deep queue',
    (wire) => Object.assign(wire, { rateBps: 500e3, queueUs: DEEP_QUEUE_US }),
  ],
  [
    'that carries 1 Mbit/s behind a deep queue',
    (wire) => Object.assign(wire, { rateBps: 1e6, queueUs: DEEP_QUEUE_US }),
  ],
];

describe.each(SPOILS)('one modem %s does not drag the stream down', (_, spoil) => {
  test.each([
    ['one good link that has room', 2, 6e6],
    ['two good links that have some', 3, 3.5e6],
  ])('beside %s', (__, links, goodBps) => {
    const classic = stream('classic', links, goodBps, spoil);
    const enhanced = stream('enhanced', links, goodBps, spoil);
    expect([classic.peers.missing, enhanced.peers.missing]).toEqual([0, 0]);
    // It carries next to nothing but what it can.
    expect(enhanced.world.sender.links[0].meter.packets).toBeLessThan(STREAM.packetsPerSecond * SECONDS * 0.2);
    expect(enhanced.peers.retransmitted).toBeLessThan(classic.peers.retransmitted * 1.3);
  });
});

test('a round trip that is longer than the latency costs a third of the retransmissions in enhanced mode', () => {
  const [, spoil] = SPOILS[1];
  const classic = stream('classic', 2, 6e6, spoil);
  const enhanced = stream('enhanced', 2, 6e6, spoil);
  expect(enhanced.peers.retransmitted * 3).toBeLessThan(classic.peers.retransmitted);
  expect(enhanced.world.events).toContain('link 0 weak: rtt');
});

test('links that are all needed are all used', () => {
  for (const mode of ['classic', 'enhanced'] as const) {
    const { world, peers } = stream(mode, 3, 1.7e6, () => undefined);
    expect(peers.missing).toBe(0);
    for (const { meter } of world.sender.links) expect(meter.packets).toBeGreaterThan(2000);
  }
});

describe('a link that dies in the middle costs nothing at 200 ms of latency', () => {
  test.each([
    ['both ways', (wire: Wire) => (wire.cut = wire.deaf = true), 0],
    ['on the way there', (wire: Wire) => (wire.cut = true), 0],
    ['in our own kernel', (wire: Wire) => (wire.refusing = true), 0],
    ['for three seconds', (wire: Wire) => (wire.cut = wire.deaf = true), 3],
    ['by a fifth', (wire: Wire) => (wire.loss = 0.2), 0],
  ])('%s', (_, kill, backAfter) => {
    for (const mode of ['classic', 'enhanced'] as const) {
      for (const [packetsPerSecond, delayUs, links] of [
        [1000, 200, 2],
        [1000, 20 * MS, 2],
        [200, 200, 2],
        [1000, 200, 4],
      ]) {
        const world = new World(links, mode);
        for (const wire of world.wires) wire.delayUs = delayUs;
        world.run(2.1 * SECOND);
        const [wire] = world.wires;
        const peers = new SrtPeers(world, { packetsPerSecond, packetBytes: 1332, latencyMs: 200, seconds: 6 });
        peers.run((second) => {
          if (second === 2) kill(wire);
          if (second === 2 + backAfter && backAfter > 0) wire.cut = wire.deaf = false;
        });
        expect({ mode, packetsPerSecond, delayUs, links, missing: peers.missing }).toMatchObject({ missing: 0 });
      }
    }
  });
});
