import { describe, expect, test } from '@jest/globals';
import { groupKey } from '../receiver/registry.ts';
import { Bench, OURS, SECOND, addressOf, kindsOf } from '../receiver/spec-bench.ts';
import {
  FOREIGN,
  ISSUED,
  NO_GROUP,
  PADDED_KEEPALIVE,
  KEEPALIVE,
  REG3,
  REG_ERR,
  data,
  idOf,
  reg1,
  reg2,
  srtAck,
  srtNak,
} from '../receiver/spec-packets.ts';
import type { Group } from '../receiver/group.ts';
import type { ReceiverOptions } from '../receiver/options.ts';
import { RELAY_HELLO_BYTES } from './relay-parts.ts';
import { ID, ORIGIN, Pair, RELAY_SOCKET, helloOf } from './spec-pair.ts';

const ENCODER = 77;
const keyOf = (id: Uint8Array): string => groupKey(id);

/** A group of the owner with the sender's other link, number 2, and its SRT session. */
function streaming(pair: Pair): ReturnType<Bench['groupOf']> {
  pair.owner.from(2, reg2(ID));
  const group = pair.owner.groupOf(2);
  pair.owner.shakeHands(group, 2, ENCODER);
  return group;
}

describe('a link whose group another instance owns', () => {
  test('is told of and not answered, then registers with the owner', () => {
    const relaying = new Bench({ foreignGroups: 'tell' });
    expect(relaying.from(1, reg2(ID))).toEqual([]);
    expect(relaying.events).toEqual(['link 1:5000 of another']);
    const pair = new Pair();
    expect(pair.toSender).toEqual([REG3]);
    expect(pair.owner.events).toEqual(['group 0 up', `link 1:5000 up by ${OURS}`]);
    expect(pair.send(reg2(ID))).toEqual([REG3]);
    expect(pair.send(KEEPALIVE)).toEqual([PADDED_KEEPALIVE]);
  });

  test('carries SRT both ways as it is, and no datagram becomes longer, of the longest neither', () => {
    const pair = new Pair();
    const group = streaming(pair);
    const longest = new Uint8Array(1472).fill(9);
    longest.set(data(5).subarray(0, 16));
    pair.relayedLengths.length = 0;
    pair.send(longest);
    expect(pair.relayedLengths).toEqual([1472]);
    expect(pair.owner.takeToServer()).toEqual([[...longest]]);
    pair.toSender.length = 0;
    pair.owner.fromServer(group, srtNak(ENCODER, 6));
    pair.owner.fromServer(group, srtAck(ENCODER));
    pair.send(KEEPALIVE);
    expect(kindsOf(pair.toSender.slice(0, 2))).toEqual(['nak', 'ack']);
    for (let sequence = 0; sequence < 8; sequence += 1) expect(pair.send(data(sequence))).toEqual([]);
    expect(pair.send(data(8)).map(([high, low]) => [high, low])).toEqual([[0x91, 0x00]]);
  });

  test('is told of also while draining, and joins its group while the owner drains', () => {
    const pair = new Pair();
    pair.owner.receiver.draining = true;
    pair.relaying.receiver.draining = true;
    expect(pair.send(reg2(ID))).toEqual([REG3]);
    expect(pair.relaying.from(3, reg2(ID))).toEqual([]);
    expect(pair.relaying.events).toEqual(['link 3:5000 of another']);
  });

  test('is never handed on twice: not to a third instance, and not where it came from', () => {
    const pair = new Pair();
    // The owner itself hands on what comes from that address: by its own socket only.
    pair.owner.receiver.addRelay(pair.relayed);
    const before = pair.relayedLengths.length;
    pair.owner.fromRelay(RELAY_SOCKET, data(1));
    pair.owner.fromRelay(RELAY_SOCKET, reg2(idOf(4, ISSUED)));
    expect(pair.relayedLengths).toHaveLength(before);
    expect(pair.owner.events).toContain(`link 100:41000 of ${OURS}`);
    pair.owner.receiver.refuseForeign(RELAY_SOCKET, true);
    expect(pair.owner.relaySent.splice(0).map(({ bytes }) => bytes)).toEqual([NO_GROUP]);
  });

  test('of a group that nobody knows is told so', () => {
    const pair = new Pair();
    expect(pair.send(reg2(idOf(4, 0x11)))).toEqual([NO_GROUP]);
    expect(pair.send(reg1(idOf(4)))[0].slice(0, 2)).toEqual([0x92, 0x01]);
  });

  test('comes by another socket of the same instance at once, by another instance when the first is silent', () => {
    const pair = new Pair();
    const socket = addressOf(100, 41_001);
    pair.owner.fromRelay(socket, helloOf(pair.seals(), {}, { from: socket }));
    expect(pair.owner.fromRelay(socket, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    const third = addressOf(101, 41_000);
    const hello = (): Uint8Array =>
      helloOf(pair.seals(), { instanceId: 'third', counter: pair.owner.nowUs }, { from: third });
    pair.owner.fromRelay(third, hello());
    // Nothing is said: the sender, which may not have asked, has a link that is good.
    expect(pair.owner.fromRelay(third, reg2(ID))).toEqual([]);
    pair.owner.wait(1.6 * SECOND);
    pair.owner.fromRelay(third, hello());
    expect(pair.owner.fromRelay(third, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    expect([...pair.owner.receiver.groups.values()][0].links.map(({ relayedBy }) => relayedBy)).toEqual(['third']);
  });

  test('is asked for again when the owner is silent, which is told; and is over when it is silent itself', () => {
    const pair = new Pair();
    pair.wait(2 * SECOND);
    expect(pair.happened).toEqual([]);
    pair.deaf = true;
    pair.relayedLengths.length = 0;
    for (let second = 0; second < 5; second += 1) {
      pair.send(data(second));
      pair.wait(SECOND);
    }
    expect(pair.relayedLengths.filter((length) => length === 258).length).toBeGreaterThanOrEqual(3);
    expect(pair.happened).toEqual(['owner silent', 'owner silent', 'owner silent']);
    pair.deaf = false;
    pair.wait(SECOND);
    pair.happened.length = 0;
    pair.wait(16 * SECOND);
    expect(new Set(pair.happened)).toEqual(new Set(['sender silent']));
  });

  test('cannot speak as an instance', () => {
    const pair = new Pair();
    pair.relayedLengths.length = 0;
    pair.send(helloOf(pair.seals(8)));
    expect(pair.relayedLengths).toEqual([]);
  });

  test('that is let go is an unknown address', () => {
    const pair = new Pair();
    pair.relaying.receiver.removeRelay(pair.relayed);
    pair.relayedLengths.length = 0;
    pair.send(data(1));
    expect(pair.relayedLengths).toEqual([]);
    expect(pair.relaying.receiver.counters.strangers).toBe(1);
  });

  test('whose address is a link already is not handed on', () => {
    const pair = new Pair();
    const bench = new Bench();
    bench.register(1, 1);
    expect(ORIGIN.equals(addressOf(1))).toBe(true);
    expect(bench.receiver.addRelay(pair.relayed)).toBe(false);
    expect(pair.relaying.receiver.addRelay(pair.relayed)).toBe(false);
  });
});

describe('a link that comes to another instance without a word', () => {
  /** Link 1 of a streaming group, straight to its owner, whom another instance can reach. */
  function direct(options: Partial<ReceiverOptions> = {}): { owner: Bench; group: Group; pair: Pair } {
    const pair = new Pair({ ...options, groupId: null });
    const { owner } = pair;
    owner.from(1, reg2(ID));
    const group = owner.groupOf(1);
    owner.shakeHands(group, 1, ENCODER);
    owner.takeToServer();
    owner.events.length = 0;
    return { owner, group, pair };
  }

  const waysOf = ({ links }: Group): (string | null)[] => links.map(({ relayedBy }) => relayedBy);

  test('is told of once a second, where other instances can be asked, and of a flood only so many', () => {
    const { owner } = new Pair();
    owner.events.length = 0;
    for (const datagram of [data(1), data(2), KEEPALIVE]) expect(owner.from(5, datagram)).toEqual([]);
    owner.from(6, KEEPALIVE);
    expect(owner.events).toEqual(['stranger 5:5000', 'stranger 6:5000']);
    expect(owner.receiver.counters.strangers).toBe(4);
    owner.wait(SECOND);
    owner.from(5, data(3));
    expect(owner.events.slice(2)).toEqual(['stranger 5:5000']);
    owner.wait(SECOND);
    owner.events.length = 0;
    for (let port = 1; port <= 1000; port += 1) owner.from(7, data(1), port);
    expect(owner.events).toHaveLength(64);
    const alone = new Bench({ foreignGroups: 'tell' });
    alone.from(1, data(1));
    expect(alone.events).toEqual([]);
  });

  test('is taken by its owner when the way that it came by is silent, with the datagram that shows it, and nothing is said', () => {
    const { owner, group, pair } = direct();
    expect(pair.relayedLengths).toEqual([RELAY_HELLO_BYTES]);
    expect(pair.send(data(1))).toEqual([]);
    expect([waysOf(group), owner.takeToServer()]).toEqual([[null], []]);
    pair.wait(1.4 * SECOND);
    pair.send(data(2));
    expect(waysOf(group)).toEqual([null]);
    pair.wait(0.2 * SECOND);
    expect(pair.send(data(3))).toEqual([]);
    expect([waysOf(group), owner.takeToServer()]).toEqual([[OURS], [[...data(3)]]]);
    expect(owner.events).toEqual(['link 1:5000 down: moved', `link 1:5000 up by ${OURS}`]);
    expect(pair.send(KEEPALIVE)).toEqual([PADDED_KEEPALIVE]);
    // One that nobody here knows is not taken, and not looked for by the owner.
    pair.owner.receiver.kick(group, owner.nowUs);
    owner.events.length = 0;
    pair.send(data(4));
    expect(owner.events).toEqual([]);
  });

  test('comes back at once where it was only found, and keeps what it was', () => {
    const { owner, group, pair } = direct();
    owner.from(2, reg2(ID));
    expect(group.links.map(({ joinedLate }) => joinedLate)).toEqual([false, true]);
    pair.wait(1.6 * SECOND);
    pair.send(data(1));
    const found = group.links.find(({ relayedBy }) => relayedBy === OURS);
    expect(found).toMatchObject({ joinedLate: false, wasFound: true });
    expect(owner.from(1, data(2))).toEqual([]);
    expect(waysOf(group)).toEqual([null, null]);
    expect(group.links.map(({ joinedLate }) => joinedLate)).toEqual([true, false]);
    expect(owner.takeToServer()).toHaveLength(2);
  });

  test('does not leave a way that it has registered by for a datagram that anybody could have sent, but where that is silent', () => {
    const pair = new Pair();
    const group = streaming(pair);
    pair.wait(SECOND);
    pair.send(KEEPALIVE);
    pair.wait(1.4 * SECOND);
    pair.owner.from(1, data(1));
    expect(waysOf(group)).toContain(OURS);
    expect(pair.owner.events).toContain('stranger 1:5000');
    // It shows its id: at once.
    expect(pair.owner.from(1, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    expect(waysOf(group)).toEqual([null, null]);
    // What the other instance says for it comes too soon, until that way is silent, or has shown no more than an address.
    expect(pair.send(reg2(ID))).toEqual([]);
    pair.wait(1.6 * SECOND);
    expect(pair.send(reg2(ID))).toEqual([REG3]);
    pair.wait(1.6 * SECOND);
    pair.owner.from(1, data(2));
    expect(waysOf(group)).toEqual([null, null]);
    expect(pair.send(reg2(ID))).toEqual([REG3]);
    expect(waysOf(group)).toEqual([null, OURS]);
  });

  test('that two instances hand on one after the other is known by the later', () => {
    const { owner, group, pair } = direct();
    pair.wait(1.6 * SECOND);
    pair.send(data(1));
    const third = addressOf(101, 41_000);
    pair.wait(1.6 * SECOND);
    owner.fromRelay(third, helloOf(pair.seals(), { instanceId: 'third', counter: 9 }, { from: third }));
    owner.fromRelay(third, data(2));
    expect(waysOf(group)).toEqual(['third']);
    owner.from(1, data(3));
    expect(waysOf(group)).toEqual([null]);
  });

  test('and was let in is let in again by its other way, where late links are refused', () => {
    const { owner, group, pair } = direct({ refuseLateLinks: true });
    pair.wait(1.6 * SECOND);
    pair.send(data(1));
    expect(owner.from(1, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    expect(waysOf(group)).toEqual([null]);
    expect(owner.from(4, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG_ERR]);
  });
});

test('nothing comes from port 0, on either socket', () => {
  const { owner } = new Pair();
  owner.events.length = 0;
  for (const datagram of [data(1), KEEPALIVE, reg1(idOf(4)), reg2(ID), reg2(idOf(4))]) {
    expect(owner.fromAddress(addressOf(5, 0), datagram)).toEqual([]);
    expect(owner.fromRelay(addressOf(5, 0), datagram)).toEqual([]);
  }
  expect(owner.receiver.counters.malformed).toBe(10);
  expect(owner.events).toEqual([]);
});

describe('a group whose owner is gone', () => {
  const former = { key: keyOf(ID), links: [], stream: null };

  test('is adopted with the link that came, and others join it', () => {
    const bench = new Bench({ foreignGroups: 'tell' });
    expect(bench.does(() => bench.receiver.adopt(former, addressOf(1), false, bench.nowUs))).toMatchObject([
      { to: '1:5000', bytes: REG3 },
    ]);
    expect(bench.from(2, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    expect(bench.events).toEqual(['group 0 up', 'link 1:5000 up', 'link 2:5000 up']);
    expect(bench.receiver.adopt(former, addressOf(3), false, bench.nowUs)).toBe(true);
    expect(bench.groupOf(1).links).toHaveLength(3);
  });

  test('goes on with its SRT session, and knows who was of it', () => {
    const bench = new Bench({ foreignGroups: 'tell', refuseLateLinks: true });
    const stream = { callerSocketId: ENCODER, serverSocketId: 0x3bd7c2a4, latencyMs: 200 };
    const links = [1, 2].map((host) => ({ address: addressOf(host), joinedLate: false }));
    bench.receiver.adopt({ ...former, stream, links }, addressOf(1), false, bench.nowUs);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toHaveLength(1);
    expect(bench.from(2, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    expect(bench.from(3, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG_ERR]);
    expect(bench.events).toContain('link 3:5000 too late for 0');
  });

  test('is not adopted when its id has ended, or there is no room', () => {
    const bench = new Bench({ foreignGroups: 'tell', maxGroups: 1 });
    bench.receiver.endId(former.key);
    expect(bench.receiver.adopt(former, addressOf(1), false, bench.nowUs)).toBe(false);
    bench.register(1, 5);
    const another = { ...former, key: keyOf(idOf(8, FOREIGN)) };
    expect(bench.receiver.adopt(another, addressOf(1), false, bench.nowUs)).toBe(false);
    expect(bench.receiver.adopt(another, RELAY_SOCKET, true, bench.nowUs)).toBe(false);
  });

  test('is released when another instance has it: its id stays good', () => {
    const bench = new Bench({ foreignGroups: 'tell' });
    bench.receiver.adopt(former, addressOf(1), false, bench.nowUs);
    bench.receiver.release(bench.groupOf(1), bench.nowUs);
    expect(bench.events.at(-1)).toBe('group 0 down: released');
    bench.from(1, reg2(ID));
    expect(bench.events.at(-1)).toBe('link 1:5000 of another');
    bench.from(2, reg2(idOf(3)));
    bench.receiver.release(bench.groupOf(2), bench.nowUs);
    expect(bench.from(2, reg2(idOf(3)))).toEqual([]);
    expect(bench.events.at(-1)).toBe(`link 2:5000 of ${OURS}`);
    bench.receiver.adopt({ ...former, key: keyOf(idOf(3)) }, addressOf(2), false, bench.nowUs);
    expect(bench.groupOf(2).links).toHaveLength(1);
  });

  test("does not get a link that is another group's", () => {
    const bench = new Bench({ foreignGroups: 'tell' });
    bench.register(1, 1);
    expect(bench.from(1, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG_ERR]);
    expect(bench.does(() => bench.receiver.adopt(former, addressOf(1), false, bench.nowUs))).toMatchObject([
      { bytes: REG_ERR },
    ]);
    bench.wait(4 * SECOND);
    expect(bench.from(1, reg2(ID))).toEqual([]);
    expect(bench.events.slice(-2)).toEqual(['link 1:5000 down: moved', 'link 1:5000 of another']);
  });

  test('that somebody has who cannot be reached is not there', () => {
    const bench = new Bench({ foreignGroups: 'tell' });
    expect(bench.does(() => bench.receiver.refuseForeign(addressOf(1), false))).toMatchObject([{ bytes: NO_GROUP }]);
  });
});
