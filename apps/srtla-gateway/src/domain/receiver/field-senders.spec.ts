import { describe, expect, test } from '@jest/globals';
import { Bench, SECOND } from './spec-bench.ts';
import type { Sent } from './spec-bench.ts';
import { ISSUED, KEEPALIVE, NO_GROUP, PADDED_KEEPALIVE, REG3, data, idOf, srtAck, srtNak } from './spec-packets.ts';

/** Senders in the field, each as it registers and keeps its links, written down byte by byte and not with the product's own codec. */

const ENCODER = 77;
const REG1 = [0x92, 0x00];
const REG2 = [0x92, 0x01];
const LINKS = [1, 2];
/** What a sender begins with: random, of its own. */
const OWN_ID = Array.from({ length: 256 }, (_, i) => (i * 37 + 11) & 0xff);

/** 9000, ms of its clock, c01f, version 1, link 2, window 20000, in flight 5, RTT 45 ms, 3 NAKs, 125,000 bytes/s. */
const RUST_KEEPALIVE = [
  ...[0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xe2, 0x40, 0xc0, 0x1f, 0x00, 0x01, 0x00, 0x00, 0x00, 0x02],
  ...[0x00, 0x00, 0x4e, 0x20, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x2d, 0x00, 0x00, 0x00, 0x03],
  ...[0x00, 0x01, 0xe8, 0x48],
];
const MOBLIN_KEEPALIVE = [0x90, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0xe2, 0x40];

const bytesOf = (sent: readonly Sent[]): number[][] => sent.map(({ bytes }) => bytes);
const ends = (bytes: number): number[] => new Array<number>(bytes).fill(0);

/** Probes with its own id on all links first; begins with REG1 on the one that was told first that there is no such group. */
function probesFirst(bench: Bench): void {
  for (const link of LINKS) expect(bytesOf(bench.from(link, [...REG2, ...OWN_ID]))).toEqual([NO_GROUP]);
  register(bench);
}

/** Returns the id in full. */
function register(bench: Bench): number[] {
  const [answer] = bytesOf(bench.from(LINKS[0], [...REG1, ...OWN_ID]));
  expect([answer.length, answer.slice(0, 2)]).toEqual([258, REG2]);
  const id = answer.slice(2);
  expect(id.slice(0, 128)).toEqual(OWN_ID.slice(0, 128));
  for (const link of LINKS) expect(bytesOf(bench.from(link, [...REG2, ...id]))).toEqual([REG3]);
  return id;
}

/** Twenty packets by each link, acknowledged in SRTLA ACKs of 44 bytes, the server's answers between. */
function streams(bench: Bench): void {
  const group = bench.groupOf(1);
  bench.shakeHands(group, 1, ENCODER);
  const acks = Array.from({ length: 40 }, (_, i) => bench.from(LINKS[i % 2], data(i))).flat();
  expect(bench.takeToServer()).toHaveLength(40);
  expect(acks.map(({ to, bytes }) => [to, bytes.length, ...bytes.slice(0, 4)])).toEqual(
    ['1:5000', '2:5000', '1:5000', '2:5000'].map((to) => [to, 44, 0x91, 0x00, 0x00, 0x00]),
  );
  expect(bench.fromServer(group, srtAck(ENCODER))).toHaveLength(2);
  expect(bench.fromServer(group, srtNak(ENCODER, 7))).toHaveLength(2);
}

/** For a minute. */
function keepsItsLinks(bench: Bench, keepalive: readonly number[], echo: readonly number[]): void {
  for (let second = 0; second < 60; second += 1) {
    for (const link of LINKS) {
      expect(bench.from(link, keepalive)).toEqual([{ to: `${link}:5000`, bytes: [...echo] }]);
      bench.from(link, data(second));
    }
    bench.wait(SECOND);
  }
  expect(bench.groupOf(1).links.length).toBe(2);
}

describe('a sender in the field', () => {
  test('BELABOX: REG1 at once, keepalives of two bytes', () => {
    const bench = new Bench();
    register(bench);
    streams(bench);
    keepsItsLinks(bench, KEEPALIVE, PADDED_KEEPALIVE);
  });

  test('the one in Rust: a probe first, keepalives of 38 bytes with what it knows of the link', () => {
    const bench = new Bench();
    probesFirst(bench);
    streams(bench);
    keepsItsLinks(bench, RUST_KEEPALIVE, RUST_KEEPALIVE);
    expect(bench.groupOf(1).links[1].telemetry).toEqual({
      connectionId: 2,
      window: 20_000,
      inFlightPackets: 5,
      smoothedRttMs: 45,
      naks: 3,
      bytesPerSecond: 125_000,
    });
  });

  test('Moblin: a probe first, keepalives of 10 bytes, and no REG1 ever again', () => {
    const bench = new Bench();
    probesFirst(bench);
    streams(bench);
    keepsItsLinks(bench, MOBLIN_KEEPALIVE, [...MOBLIN_KEEPALIVE, ...ends(22)]);
    // The receiver starts again and knows nothing: it is the token that heals, for NGP would not.
    const restarted = new Bench();
    const id = [...OWN_ID.slice(0, 128), ...new Array<number>(128).fill(ISSUED)];
    for (const link of LINKS) {
      expect(restarted.from(link, MOBLIN_KEEPALIVE)).toEqual([]);
      expect(bytesOf(restarted.from(link, [...REG2, ...id]))).toEqual([REG3]);
    }
    streams(restarted);
  });

  test('any: a link that goes and comes with another port finds its group by REG2 alone', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, ...LINKS);
    expect(bytesOf(bench.from(2, [...REG2, ...idOf(9)], 6000))).toEqual([REG3]);
    bench.from(2, data(1), 6000);
    expect([bench.takeToServer().length, group.links.length]).toEqual([1, 3]);
  });
});
