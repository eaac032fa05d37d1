import { describe, expect, test } from '@jest/globals';
import { SECOND, addressOf } from '../receiver/spec-bench.ts';
import { REG3, data, reg2 } from '../receiver/spec-packets.ts';
import { ID, MAX_PACKETS_PER_SECOND, Pair, RELAY_SOCKET, helloOf } from './spec-pair.ts';

const OTHER_SOCKET = addressOf(102, 41_000);

/** Says a HELLO from that address, then registers a link from there. Returns whether that was heard, and what was refused. */
function knock(pair: Pair, hello: Uint8Array, from = OTHER_SOCKET): { heard: boolean; refused: number } {
  const { receiver } = pair.owner;
  const before = receiver.relayCounters?.hellosRefused ?? 0;
  pair.owner.fromRelay(from, hello);
  const heard = pair.owner.fromRelay(from, reg2(ID)).length > 0;
  return { heard, refused: (receiver.relayCounters?.hellosRefused ?? 0) - before };
}

const REFUSED = { heard: false, refused: 1 };
const origin = addressOf(3);
const path = { from: OTHER_SOCKET };

describe('the relay socket', () => {
  test('hears an address after its HELLO', () => {
    const pair = new Pair();
    expect(knock(pair, helloOf(pair.seals(), { origin }, path))).toEqual({ heard: true, refused: 0 });
    expect(pair.owner.events.at(-1)).toBe('link 3:5000 up by ours');
  });

  test('hears nobody without', () => {
    const pair = new Pair();
    expect(pair.owner.fromRelay(OTHER_SOCKET, reg2(ID))).toEqual([]);
    expect(pair.owner.fromRelay(OTHER_SOCKET, data(1))).toEqual([]);
    expect(pair.owner.receiver.relayCounters).toMatchObject({ unproven: 2 });
  });

  test('takes no HELLO that is forged, in any bit', () => {
    const pair = new Pair();
    const hello = helloOf(pair.seals(), { origin }, path);
    for (let at = 0; at < hello.length; at += 1) {
      const forged = hello.slice();
      forged[at] ^= 1 << (at % 8);
      pair.owner.fromRelay(OTHER_SOCKET, forged);
      expect(pair.owner.fromRelay(OTHER_SOCKET, reg2(ID))).toEqual([]);
    }
    expect(knock(pair, hello).heard).toBe(true);
  });

  test('takes none of another key', () => {
    const pair = new Pair();
    expect(knock(pair, helloOf(pair.seals(8), { origin }, path))).toEqual(REFUSED);
  });

  test('takes none that was said from or to another address', () => {
    const pair = new Pair();
    expect(knock(pair, helloOf(pair.seals(), { origin }, { from: RELAY_SOCKET }))).toEqual(REFUSED);
    expect(knock(pair, helloOf(pair.seals(), { origin }, { ...path, to: addressOf(201, 7000) }))).toEqual(REFUSED);
  });

  test('takes none that is older than 30 s, or of a later time than that', () => {
    const pair = new Pair();
    expect(knock(pair, helloOf(pair.seals(7, -31_000), { origin }, path))).toEqual(REFUSED);
    expect(knock(pair, helloOf(pair.seals(7, 31_000), { origin }, path))).toEqual(REFUSED);
    expect(knock(pair, helloOf(pair.seals(7, -29_000), { origin }, path)).heard).toBe(true);
  });

  test('takes none twice, also when its address was forgotten meanwhile', () => {
    const pair = new Pair();
    const hello = helloOf(pair.seals(7, 29_000), { origin }, path);
    expect(knock(pair, hello).heard).toBe(true);
    for (let second = 0; second < 80; second += 4) {
      pair.owner.wait(4 * SECOND);
      expect(knock(pair, hello)).toEqual(REFUSED);
    }
  });

  test('forgets an address 3 s after its last HELLO', () => {
    const pair = new Pair();
    knock(pair, helloOf(pair.seals(), { origin }, path));
    pair.owner.wait(2.9 * SECOND);
    expect(pair.owner.fromRelay(OTHER_SOCKET, reg2(ID)).map(({ bytes }) => bytes)).toEqual([REG3]);
    pair.owner.wait(0.2 * SECOND);
    expect(pair.owner.fromRelay(OTHER_SOCKET, reg2(ID))).toEqual([]);
    expect(pair.owner.receiver.relayPeers).toBe(2);
    pair.owner.wait(70 * SECOND);
    expect(pair.owner.receiver.relayPeers).toBe(0);
  });

  test('takes only so many datagrams of a link', () => {
    const pair = new Pair();
    for (let packet = 0; packet < 2 * MAX_PACKETS_PER_SECOND; packet += 1) pair.send(data(packet));
    const [group] = pair.owner.receiver.groups.values();
    const burst = MAX_PACKETS_PER_SECOND / 2;
    expect(group.tally.packets).toBeGreaterThanOrEqual(burst - 2);
    expect(group.tally.packets).toBeLessThanOrEqual(burst + 2);
    expect(pair.owner.receiver.relayCounters?.overRate).toBe(2 * MAX_PACKETS_PER_SECOND - group.tally.packets);
    pair.wait(SECOND / 10);
    const before = group.tally.packets;
    for (let packet = 0; packet < MAX_PACKETS_PER_SECOND; packet += 1) pair.send(data(packet));
    expect(group.tally.packets - before).toBeLessThanOrEqual(MAX_PACKETS_PER_SECOND / 10 + 2);
  });

  test('opens only so many HELLOs, and hears those of thousands of links', () => {
    const pair = new Pair();
    const seals = pair.seals();
    for (let link = 0; link < 3200; link += 1) {
      const from = addressOf(102, 10_000 + link);
      pair.owner.fromRelay(from, helloOf(seals, { origin: addressOf(1000 + link) }, { from }));
    }
    expect(pair.owner.receiver.relayPeers).toBe(3201);
    const forged = helloOf(pair.seals(8), {}, path);
    for (let i = 0; i < 10_000; i += 1) pair.owner.fromRelay(OTHER_SOCKET, forged);
    expect(knock(pair, helloOf(seals, { origin }, path))).toEqual(REFUSED);
    pair.owner.wait(SECOND);
    expect(knock(pair, helloOf(seals, { origin }, path)).heard).toBe(true);
  });

  test('ends the link of an address that is another link now', () => {
    const pair = new Pair();
    expect(pair.owner.receiver.linkCount).toBe(1);
    const hello = helloOf(pair.seals(), { origin, counter: 1.9e12 });
    pair.owner.fromRelay(RELAY_SOCKET, hello);
    expect(pair.owner.events.at(-1)).toBe('link 1:5000 down: moved');
    expect(pair.owner.receiver.linkCount).toBe(0);
  });

  test('is none of the public one: a HELLO there is nothing, and its addresses are no links', () => {
    const pair = new Pair();
    pair.owner.fromAddress(OTHER_SOCKET, helloOf(pair.seals(), { origin }, path));
    expect(pair.owner.receiver.counters.unexpected).toBe(1);
    pair.owner.fromAddress(RELAY_SOCKET, data(1));
    expect(pair.owner.receiver.counters.strangers).toBe(1);
  });
});
