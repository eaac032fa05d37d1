import { describe, expect, test } from '@jest/globals';
import { MS, SECOND, World } from './spec-world.ts';

const HALF = 600;
const R_BIT = 0x04;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe('failover', () => {
  test.each([
    ['both ways', true],
    ['on the way there alone', false],
  ])('a link that dies %s loses nothing, without SRT’s help, and gets nothing new within 100 ms', (_, bothWays) => {
    const world = new World();
    const { sender } = world;
    world.run(3 * SECOND);
    world.stream(0, HALF);
    const carried = sender.links[0].meter.packets;
    world.wires[0].cut = true;
    world.wires[0].deaf = bothWays;
    world.stream(HALF, HALF);
    world.run(SECOND);
    expect(world.whole()).toEqual(numbers(2 * HALF));
    expect(world.events.slice(-1)).toEqual(['link 0 suspect']);
    // A thousand packets a second, half of them by this link: what it got after its death is what it got in 100 ms at the most.
    expect(sender.links[0].meter.packets - carried).toBeLessThan(50);
    expect(sender.counters.expired).toBe(0);
    expect(sender.counters.resent).toBeGreaterThan(10);
    expect(world.arrived.length).toBe(2 * HALF);
  });

  test('also when the encoder falls silent at that moment', () => {
    const world = new World();
    world.run(3 * SECOND);
    world.stream(0, HALF);
    world.wires[0].cut = true;
    world.wires[0].deaf = true;
    for (let i = 0; i < 60; i += 1) world.send(HALF + i);
    world.run(260 * MS);
    expect(world.whole()).toEqual(numbers(HALF + 60));
    expect(world.sender.counters.expired).toBe(0);
  });

  test('what goes out again is spread over the time there is, the most urgent first', () => {
    const world = new World();
    world.run(SECOND);
    world.shakeHands(77, 1000);
    world.answerHandshake(1000);
    world.run(3 * SECOND);
    world.stream(0, HALF);
    world.wires[0].cut = true;
    const before = world.nowUs;
    // More than the other link has ever carried.
    for (let i = 0; i < 200; i += 1) world.send(HALF + i);
    world.stream(HALF + 200, HALF);
    world.run(SECOND);
    const again = world.arrived.filter(({ sequence, atUs }) => sequence < HALF + 200 && atUs > before + 90 * MS);
    expect(world.whole()).toEqual(numbers(2 * HALF + 200));
    expect(again.length).toBeGreaterThan(50);
    const sequences = again.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((a, b) => a - b));
    expect(again[again.length - 1].atUs - again[0].atUs).toBeGreaterThan(50 * MS);
    expect(again[again.length - 1].atUs - before).toBeLessThan(SECOND);
  });

  test('a link that comes back is used again, and a flap of three seconds loses nothing', () => {
    const world = new World();
    world.run(3 * SECOND);
    world.stream(0, HALF);
    world.wires[0].cut = true;
    world.wires[0].deaf = true;
    const since = world.events.length;
    world.stream(HALF, 3000);
    world.wires[0].cut = false;
    world.wires[0].deaf = false;
    const before = world.sender.links[0].meter.packets;
    world.stream(HALF + 3000, 1000);
    world.run(SECOND);
    expect(world.whole()).toEqual(numbers(HALF + 4000));
    // Once: what it carried before it died is held against it no more.
    expect(world.events.slice(since)).toEqual(['link 0 suspect', 'link 0 back']);
    expect(world.sender.links[0].meter.packets - before).toBeGreaterThan(100);
  });

  test('a link that flaps is held off longer each time, and loses nothing', () => {
    const world = new World();
    world.run(3 * SECOND);
    let next = 0;
    const stream = (packets: number): void => {
      world.stream(next, packets);
      next += packets;
    };
    const since = world.events.length;
    const aways: number[] = [];
    for (let flap = 0; flap < 5; flap += 1) {
      world.wires[0].cut = true;
      stream(600);
      world.wires[0].cut = false;
      const from = world.nowUs;
      while (world.events.at(-1) !== 'link 0 back') stream(20);
      aways.push((world.nowUs - from) / SECOND);
      stream(300);
    }
    world.run(SECOND);
    expect(world.whole()).toEqual(numbers(next));
    expect(new Set(world.events.slice(since))).toEqual(new Set(['link 0 suspect', 'link 0 back']));
    expect(aways[0]).toBeLessThan(0.2);
    expect(aways[4]).toBeGreaterThan(1);
  }, 30_000);

  test('with no other link it is used, suspect or not', () => {
    const world = new World(1);
    world.run(3 * SECOND);
    world.stream(0, 100);
    const before = world.sender.links[0].meter.packets;
    world.wires[0].cut = true;
    world.stream(100, 100);
    expect(world.sender.links[0].meter.packets - before).toBeGreaterThanOrEqual(100);
    expect(world.events.slice(-1)).toEqual(['link 0 up']);
  });

  test('while no link is good the rest waits, and goes out when one is', () => {
    const world = new World();
    world.run(SECOND);
    world.shakeHands(77, 2000);
    world.answerHandshake(2000);
    world.run(3 * SECOND);
    world.stream(0, HALF);
    world.wires[0].cut = true;
    world.wires[1].cut = true;
    world.stream(HALF, 100);
    world.wires[1].cut = false;
    world.stream(HALF + 100, 1000);
    world.run(SECOND);
    // What the second had carried meanwhile is for SRT to bring.
    const missing = numbers(HALF + 1100).filter((sequence) => !new Set(world.whole()).has(sequence));
    expect(world.sender.counters.expired).toBe(0);
    expect(missing.length).toBeLessThan(100);
    // Packets are 20 ms under way.
    expect(missing.every((sequence) => sequence >= HALF - 20 && sequence < HALF + 100)).toBe(true);
    expect(world.sender.counters.resent).toBeGreaterThan(20);
  });

  test('packets that the kernel refuses go out by another link at once', () => {
    const world = new World();
    world.run(3 * SECOND);
    world.stream(0, HALF);
    world.wires[0].refusing = true;
    const fromUs = world.nowUs;
    world.stream(HALF, HALF);
    world.run(SECOND);
    expect(world.whole()).toEqual(numbers(2 * HALF));
    expect(world.events.slice(-1)).toEqual(['link 0 suspect']);
    const late = world.arrived.filter(
      ({ sequence, atUs }) => sequence >= HALF && atUs - fromUs > (sequence - HALF + 30) * MS,
    );
    expect(late).toEqual([]);
    expect(world.sender.links[0].failedSends).toBeGreaterThan(0);
  });

  test('what was lost on a link goes out again by others alone', () => {
    const world = new World(3);
    world.run(SECOND);
    for (let i = 0; i < 60; i += 1) world.send(i);
    world.run(SECOND);
    const carriers = numbers(60).map(() => new Set<number>());
    for (const { link, sequence } of world.arrived) carriers[sequence].add(link);
    for (let time = 1; time < 3; time += 1) {
      const before = world.arrived.length;
      for (let i = 0; i < 60; i += 1) world.send(i, R_BIT);
      world.run(SECOND);
      for (const { link, sequence } of world.arrived.slice(before)) {
        // Some go out twice at once: those have been everywhere, when they come the third time.
        if (carriers[sequence].size < 3) expect(carriers[sequence].has(link)).toBe(false);
      }
      for (const { link, sequence } of world.arrived.slice(before)) carriers[sequence].add(link);
    }
  });

  test('also where there are but two, and copies may be made', () => {
    const world = new World(2);
    world.run(SECOND);
    world.stream(0, 400);
    const first = new Map(world.arrived.map(({ sequence, link }) => [sequence, link]));
    const before = world.arrived.length;
    for (let i = 380; i < 390; i += 1) world.send(i, R_BIT);
    world.run(SECOND);
    const again = world.arrived.slice(before).filter(({ isAgain }) => isAgain);
    expect(again.length).toBe(10);
    for (const { sequence, link } of again) expect(link).not.toBe(first.get(sequence));
  });

  test('with one link what was lost goes out by that', () => {
    const world = new World(1);
    world.run(SECOND);
    world.send(1);
    world.send(1, R_BIT);
    world.run(SECOND);
    expect(world.arrived.length).toBe(2);
  });

  test('the healthy links of a busy stream are never suspected', () => {
    const world = new World(4);
    world.run(3 * SECOND);
    world.stream(0, 3000);
    expect(world.events.filter((event) => event.endsWith('suspect'))).toEqual([]);
  });

  test('nor where the receiver acknowledges nothing itself', () => {
    const world = new World(2);
    world.receiver.acknowledges = false;
    world.run(3 * SECOND);
    world.stream(0, 3000);
    expect(world.events.filter((event) => event.endsWith('suspect'))).toEqual([]);
  });
});

describe('duplicates', () => {
  test('of key frames go out by two links, within a twentieth of the packets', () => {
    const world = new World();
    world.run(SECOND);
    world.stream(0, 1000);
    expect(world.sender.counters.duplicates).toBe(0);
    world.sender.onKeyFrames(world.nowUs + 40 * MS);
    world.sender.onKeyFrames(world.nowUs + 20 * MS);
    world.stream(1000, 1000);
    world.run(SECOND);
    expect(world.sender.counters.duplicates).toBe(40);
    const twice = world.arrived
      .map(({ sequence }) => sequence)
      .filter((sequence, i, all) => all.indexOf(sequence) !== i);
    expect(twice.length).toBe(40);
    world.sender.onKeyFrames(world.nowUs + 10 * SECOND);
    world.stream(2000, 4000);
    expect(world.sender.counters.duplicates).toBeLessThanOrEqual(6000 / 20);
  });

  test('of retransmissions as well', () => {
    const world = new World(3);
    world.run(SECOND);
    world.stream(0, 400);
    for (let i = 390; i < 400; i += 1) world.send(i, R_BIT);
    expect([world.sender.counters.retransmitted, world.sender.counters.duplicates]).toEqual([10, 10]);
  });
});
