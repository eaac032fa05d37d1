import { describe, expect, test } from '@jest/globals';
import { REGISTRATION_BYTES } from '@mediaplane/srtla';
import { MAX_LINKS, LINK_DEFAULTS } from './link-settings.ts';
import { UplinkError } from './errors.ts';
import { MS, SECOND, World } from './spec-world.ts';

const ups = (links: number): string[] => Array.from({ length: links }, (_, i) => `link ${i} up`);

describe('registration', () => {
  test('probes, asks for a group on one link, and joins it on all', () => {
    const world = new World(3);
    world.run(SECOND);
    expect(world.events.slice(0, 1)).toEqual(['registered']);
    expect(world.events.slice(1).toSorted()).toEqual(ups(3));
    expect(world.receiver.groups.size).toBe(1);
  });

  test('a link that comes later joins the same group', () => {
    const world = new World();
    world.wires[1].cut = true;
    world.run(3 * SECOND);
    expect(world.events).toEqual(['registered', 'link 0 up']);
    world.wires[1].cut = false;
    world.run(5 * SECOND);
    expect(world.events).toEqual(['registered', 'link 0 up', 'link 1 up']);
    expect(world.receiver.groups.size).toBe(1);
  });

  test('with no receiver it goes on asking, and finds it when it comes', () => {
    const world = new World();
    for (const wire of world.wires) wire.cut = true;
    world.run(60 * SECOND);
    expect(world.events).toEqual([]);
    for (const wire of world.wires) wire.cut = false;
    world.run(5 * SECOND);
    expect(world.events.toSorted()).toEqual([...ups(2), 'registered']);
  });

  test('a silent link is down after 4 s, gets no more, and comes back small', () => {
    const world = new World();
    world.run(SECOND);
    world.send(1);
    world.wires[0].cut = true;
    world.run(5.5 * SECOND);
    expect(world.events.slice(-1)).toEqual(['link 0 down: silent']);
    const before = world.arrived.length;
    for (let i = 2; i < 42; i += 1) world.send(i);
    world.run(SECOND);
    expect(world.arrived.slice(before).map(({ link }) => link)).toEqual(new Array<number>(40).fill(1));
    world.wires[0].cut = false;
    world.run(5 * SECOND);
    expect(world.events.slice(-1)).toEqual(['link 0 up']);
    expect(world.sender.links[0].window).toBeLessThan(world.sender.links[1].window);
  });

  test('a receiver that starts anew with its key has all links back without a new group id', () => {
    const world = new World();
    world.run(SECOND);
    const since = world.events.length;
    world.restartReceiver(true);
    world.run(7 * SECOND);
    expect(world.receiver.groups.size).toBe(1);
    expect(world.events.slice(since).toSorted()).toEqual([
      'link 0 down: silent',
      'link 0 up',
      'link 1 down: silent',
      'link 1 up',
    ]);
  });

  test('one that has forgotten the group is asked for another', () => {
    const world = new World();
    world.run(3 * SECOND);
    world.restartReceiver(false);
    world.run(5.5 * SECOND);
    world.receiver.knows = true;
    world.run(6 * SECOND);
    expect(world.receiver.groups.size).toBe(1);
    expect(world.events.slice(-3).toSorted()).toEqual([...ups(2), 'registered']);
  });

  test.each([
    [0x9210, 'link 1 refused'],
    [0x9212, 'link 1 refused for good'],
  ])('a refusal, %p, is no sign of life; it is told once, and asked again', (type, event) => {
    const world = new World(1);
    world.run(SECOND);
    world.receiver.refuses = type;
    world.addLink(1);
    world.run(10 * SECOND);
    expect(world.events.slice(2)).toEqual([event]);
    expect(world.sender.links[1]).toMatchObject({ state: 'closed', heardUs: -Infinity });
    expect(world.sender.counters.refusals).toBeGreaterThan(5);
    world.receiver.refuses = 0;
    world.run(2 * SECOND);
    expect(world.events.slice(3)).toEqual(['link 1 up']);
  });

  test('a link whose group is not known where it leads, while others are up, asks once a second', () => {
    const world = new World(1);
    world.run(3 * SECOND);
    world.receiver.knows = false;
    world.addLink(1);
    const before = world.sender.links[1].meter.bytes;
    world.run(10 * SECOND);
    expect(world.sender.links[0].state).toBe('live');
    const asked = (world.sender.links[1].meter.bytes - before) / REGISTRATION_BYTES;
    expect(asked).toBeGreaterThan(7);
    expect(asked).toBeLessThan(12);
  });

  test('a live link that is refused is down at once', () => {
    const world = new World();
    world.run(SECOND);
    const reply = new Uint8Array(32);
    new DataView(reply.buffer).setUint16(0, 0x9210);
    world.reply(0, reply);
    world.run(100 * MS);
    expect(world.events.slice(-1)).toEqual(['link 0 down: refused']);
  });

  test.each([0x9202, 0x9210, 0x9211, 0x9212, 0x9300, 0x9fff])(
    'SRTLA that nobody asked for, %p, never reaches the encoder',
    (type) => {
      const world = new World(1);
      world.run(SECOND);
      world.send(1);
      const reply = new Uint8Array(32);
      new DataView(reply.buffer).setUint16(0, type);
      world.reply(0, reply);
      world.run(SECOND);
      expect(world.toEncoder).toEqual([]);
    },
  );
});

describe('links while a stream runs', () => {
  test('one that is added joins at once and takes its part', () => {
    const world = new World(1);
    world.run(SECOND);
    world.stream(0, 500);
    world.addLink(5);
    world.run(100 * MS);
    expect(world.events.slice(-1)).toEqual(['link 5 up']);
    world.stream(500, 1000);
    world.run(SECOND);
    expect(world.whole().length).toBe(1500);
    expect(world.sender.links[1].meter.packets).toBeGreaterThan(300);
  });

  test.each([
    ['removed', (world: World) => world.sender.removeLink(0, world.nowUs)],
    ['disabled', (world: World) => world.sender.updateLink(0, { ...LINK_DEFAULTS, enabled: false }, world.nowUs)],
    ['no-path', (world: World) => world.sender.closePath(world.sender.links[0], world.nowUs)],
  ])('one that is %s loses nothing of what it had in flight, though that does not arrive', (reason, act) => {
    const world = new World();
    world.run(SECOND);
    world.stream(0, 500);
    world.wires[0].cut = true;
    // The last it has carried is in the hole.
    for (let i = 500; i < 520; i += 1) world.send(i);
    act(world);
    expect(world.events.slice(-1)).toEqual([`link 0 down: ${reason}`]);
    world.stream(520, 500);
    world.run(SECOND);
    expect(world.whole().length).toBe(1020);
    expect(world.sender.counters.expired).toBe(0);
  });

  test('one that is off is silent, and comes back when it is on again', () => {
    const world = new World();
    world.run(SECOND);
    world.sender.updateLink(0, { ...LINK_DEFAULTS, enabled: false }, world.nowUs);
    world.run(SECOND);
    const before = world.keepalives[0].length;
    world.run(5 * SECOND);
    expect(world.keepalives[0].length).toBe(before);
    world.sender.updateLink(0, LINK_DEFAULTS, world.nowUs);
    world.run(100 * MS);
    expect(world.events.slice(-2)).toEqual(['link 0 down: disabled', 'link 0 up']);
  });

  test('another path of the same link registers at once', () => {
    const world = new World();
    world.run(SECOND);
    world.sender.openPath(0, world.nowUs);
    world.run(100 * MS);
    expect(world.events.slice(-2)).toEqual(['link 0 down: no-path', 'link 0 up']);
    expect(world.receiver.groups.size).toBe(1);
  });

  test('there are sixteen, and no more', () => {
    const world = new World(MAX_LINKS);
    world.run(SECOND);
    expect(world.events.length).toBe(1 + MAX_LINKS);
    const code = (act: () => void): string => {
      try {
        act();
      } catch (error) {
        if (error instanceof UplinkError) return error.code;
      }
      return 'nothing';
    };
    expect(code(() => world.sender.addLink(MAX_LINKS, LINK_DEFAULTS))).toBe('link-limit');
    expect(code(() => world.sender.addLink(3, LINK_DEFAULTS))).toBe('link-exists');
    expect(code(() => world.sender.removeLink(17, 0))).toBe('no-such-link');
    world.stream(0, 2000);
    world.run(SECOND);
    expect(world.whole().length).toBe(2000);
  });

  test('a link at its cap takes no more data, until the cap is raised; it is told once', () => {
    const world = new World(1);
    world.run(SECOND);
    const CAP = 200 * 200;
    world.sender.updateLink(0, { ...LINK_DEFAULTS, capBytes: CAP }, world.nowUs);
    world.stream(0, 600);
    expect(world.events.slice(2)).toEqual(['link 0 at its cap', 'no link']);
    expect(world.sender.counters.noLink).toBeGreaterThan(250);
    expect(world.sender.links[0].cappedBytes).toBeLessThan(2 * CAP);
    world.sender.updateLink(0, { ...LINK_DEFAULTS, capBytes: 1e9 }, world.nowUs);
    const before = world.sender.counters.noLink;
    world.stream(600, 100);
    expect(world.sender.counters.noLink).toBe(before);
  });

  test('tell the receiver once a second how they do, and are measured by the echo', () => {
    const world = new World();
    world.run(4.5 * SECOND);
    for (const sent of world.keepalives) {
      expect(sent.length).toBe(5);
      expect(sent.every(({ length }) => length === 38)).toBe(true);
      expect([...sent[4].subarray(10, 14)]).toEqual([0xc0, 0x1f, 0, 1]);
      expect(new DataView(sent[4].buffer).getUint32(26)).toBe(40);
    }
    expect(world.sender.links.map(({ rtt }) => rtt.valueMs)).toEqual([40, 40]);
  });
});
