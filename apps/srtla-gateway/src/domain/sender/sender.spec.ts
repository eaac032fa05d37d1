import { describe, expect, test } from '@jest/globals';
import { SrtControlType, addSequence } from '@mediaplane/srtla';
import { MS, SECOND, World } from './spec-world.ts';

const inFlight = ({ sender }: World): number[] => sender.links.map((link) => sender.inFlight(link));
const windows = ({ sender }: World): number[] => sender.links.map(({ window }) => window);

/** One packet a pass: of several in one pass, some in a row may go by one link. */
function sendByTurns(world: World, first: number, packets: number): void {
  for (let i = 0; i < packets; i += 1) {
    world.send(first + i);
    world.run(1);
  }
}

describe('data', () => {
  test('is spread over the links by the room they have, and nothing is lost or doubled', () => {
    const world = new World();
    world.run(SECOND);
    world.stream(0, 2000);
    world.run(SECOND);
    expect(world.arrived.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 2000 }, (_, i) => i),
    );
    const onFirst = world.arrived.filter(({ link }) => link === 0).length;
    expect(onFirst).toBeGreaterThan(900);
    expect(onFirst).toBeLessThan(1100);
  });

  test('is dropped and counted while no link is live, and that is told once', () => {
    const world = new World();
    for (const wire of world.wires) wire.cut = true;
    for (let i = 0; i < 5; i += 1) world.send(i);
    expect([world.sender.counters.noLink, world.events]).toEqual([6, ['no link']]);
    for (const wire of world.wires) wire.cut = false;
    world.run(3 * SECOND);
    world.send(9);
    world.run(SECOND);
    expect(world.arrived.length).toBe(1);
  });

  test('acknowledgements of the bonding layer open the windows of all links', () => {
    const world = new World();
    world.run(SECOND);
    const [before] = windows(world);
    sendByTurns(world, 0, 40);
    world.run(SECOND);
    // Twenty on each link, in four ACKs: each opens both windows by one, and its own while that was full.
    expect(windows(world).every((window) => window >= before + 40)).toBe(true);
    expect(inFlight(world)).toEqual([0, 0]);
  });

  test('without them SRT’s own are enough', () => {
    const world = new World();
    world.run(SECOND);
    sendByTurns(world, 0, 8);
    world.run(SECOND);
    expect(inFlight(world)).toEqual([4, 4]);
    world.acknowledge(6);
    world.run(SECOND);
    expect(inFlight(world)).toEqual([1, 1]);
  });

  test('a NAK makes the window of the link smaller that carried the packet, once', () => {
    const world = new World();
    world.run(SECOND);
    const [before] = windows(world);
    sendByTurns(world, 0, 8);
    // Numbers 2 and 4 to 7, of which the even ones went by the first link.
    world.nak(2, 0x8000_0004, 7);
    world.run(SECOND);
    expect(windows(world)).toEqual([before - 300, before - 200]);
    world.nak(2, 0x8000_0004, 7);
    world.run(SECOND);
    expect(windows(world)).toEqual([before - 300, before - 200]);
  });

  test('goes on across the wrap of sequence numbers, and after an encoder that begins anew below', () => {
    const world = new World();
    world.run(SECOND);
    for (const start of [2 ** 31 - 2000, 17]) {
      for (let i = 0; i < 4000; i += 1) {
        world.send(addSequence(start, i));
        if (i % 10 === 9) {
          world.run(MS);
          world.acknowledge(addSequence(start, i - 9));
        }
      }
      world.run(SECOND);
      world.acknowledge(addSequence(start, 4000));
      world.run(SECOND);
      expect(inFlight(world)).toEqual([0, 0]);
    }
  });
});

describe('what the server says', () => {
  test('reaches the encoder, short of the zeros that a relay put behind', () => {
    const world = new World(1);
    world.run(SECOND);
    world.send(0x5000_0000);
    world.nak(0x5000_0000, 0, 0, 0);
    world.run(SECOND);
    expect(world.toEncoder.map(({ length }) => length)).toEqual([20]);
  });

  test('reaches it once, however many links bring it, and again when it is said again', () => {
    const world = new World(4);
    world.run(SECOND);
    for (let i = 0; i < 9; i += 1) world.send(i);
    world.nak(3);
    world.acknowledge(3);
    world.nak(3);
    world.run(SECOND);
    expect(world.toEncoder.length).toBe(3);
    expect(world.sender.counters).toMatchObject({ answers: 3, answerCopies: 9 });
  });

  test('to an encoder of before never reaches one that began anew', () => {
    const world = new World();
    world.receiver.acknowledges = false;
    world.run(SECOND);
    world.shakeHands(100, 120);
    for (let i = 0; i < 20; i += 1) world.send(1_000_000 + i);
    world.acknowledge(1_000_020);
    world.run(SECOND);
    expect(world.toEncoder.length).toBe(1);
    world.shakeHands(200, 120);
    sendByTurns(world, 1_000_010, 20);
    world.answer(SrtControlType.ack, [1_000_020, 0, 0, 0, 0, 0, 0], 100);
    world.answer(SrtControlType.nak, [1_000_012], 100);
    world.run(SECOND);
    expect(world.toEncoder.length).toBe(1);
    expect(world.sender.counters.answersOfOthers).toBe(4);
    expect(inFlight(world)).toEqual([10, 10]);
    world.acknowledge(1_000_030);
    world.run(SECOND);
    expect(world.toEncoder.length).toBe(2);
    expect(inFlight(world)).toEqual([0, 0]);
  });

  test('an acknowledgement tells no round trip: its number is of a packet that has not come', () => {
    const world = new World(1);
    world.receiver.acknowledges = false;
    world.run(1.5 * SECOND);
    const { samples } = world.sender.links[0].rtt;
    for (let i = 0; i < 20; i += 1) world.send(i);
    world.acknowledge(10);
    world.run(100 * MS);
    expect(world.sender.links[0].rtt.samples).toBe(samples);
  });

  test('while an SRTLA ACK does: its last packet made the receiver send it', () => {
    const world = new World(1);
    world.wires[0].delayUs = 35 * MS;
    world.run(1.5 * SECOND);
    const { samples } = world.sender.links[0].rtt;
    for (let i = 0; i < 20; i += 1) world.send(i);
    world.run(100 * MS);
    expect(world.sender.links[0].rtt).toMatchObject({ samples: samples + 2, valueMs: 70 });
  });

  test('a keepalive that the receiver began, without a time, tells none either', () => {
    const world = new World(1);
    world.run(1.5 * SECOND);
    const { samples } = world.sender.links[0].rtt;
    const keepalive = new Uint8Array(32);
    new DataView(keepalive.buffer).setUint16(0, 0x9000);
    world.reply(0, keepalive);
    world.run(100 * MS);
    expect(world.sender.links[0].rtt.samples).toBe(samples);
  });
});

describe('a stall of our own', () => {
  test.each([0.6, 2, 6])('of %d s is no silence of links or encoder: what came meanwhile is read first', (seconds) => {
    const world = new World();
    world.run(SECOND);
    world.shakeHands(77, 500);
    world.run(100 * MS);
    world.answerHandshake(500);
    world.run(100 * MS);
    world.stream(0, 500);
    const since = world.events.length;
    // The timer is the first to be served.
    world.nowUs += seconds * SECOND;
    world.sender.onDeadline(world.nowUs);
    world.stream(500, 500);
    world.run(SECOND);
    expect(world.events.slice(since)).toEqual([]);
    expect(world.sender.counters.resent).toBe(0);
    // A link that has died then is found out all the same.
    world.wires[0].cut = true;
    world.stream(1000, 300);
    expect(world.events.slice(since)).toEqual(['link 0 suspect']);
  });
});
