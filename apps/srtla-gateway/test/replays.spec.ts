import { randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { TestGateway } from './support/gateway.ts';
import { ReplayedLink } from './support/replayed-link.ts';

/**
 * Senders in the field against a receiver over UDP, written down byte by byte: what each sends, and of the answers what it looks at.
 * All of them tell answers by their first two bytes; Moblin wants REG2 of exactly 258 bytes and SRTLA ACKs of whole words.
 */

const NO_SERVER = 9;
const LINKS = 3;
const PADDED_BYTES = 32;
const TYPE_BYTES = 2;
const ACKED_PACKETS = 10;
/** Beyond 2^30, where libsrt begins half of its sessions. */
const FIRST_SEQUENCE = 0x5a00_0000;

const reg1 = (id: Uint8Array): Buffer => Buffer.from([0x92, 0x00, ...id]);
const reg2 = (id: Uint8Array): Buffer => Buffer.from([0x92, 0x01, ...id]);
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

function data(sequence: number): Buffer {
  const datagram = Buffer.alloc(1332, 0x47);
  datagram.writeUInt32BE(sequence);
  datagram.write('c0000001 00001000 00001234'.replaceAll(' ', ''), 4, 'hex');
  return datagram;
}

interface FieldSender {
  readonly name: string;
  /** What it sends by a link each second, `ms` by its clock. */
  keepalive(ms: bigint): Buffer;
  /** What a receiver is to know of the link by it. */
  readonly telemetry: object | null;
}

function time(ms: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(ms);
  return bytes;
}

const senders: readonly FieldSender[] = [
  { name: 'BELABOX', keepalive: () => hex('9000'), telemetry: null },
  { name: 'Moblin', keepalive: (ms) => Buffer.concat([hex('9000'), time(ms)]), telemetry: null },
  {
    name: 'the one in Rust',
    //                                                magic ver  link     window   flight   RTT      NAKs     bytes a second
    keepalive: (ms) =>
      Buffer.concat([hex('9000'), time(ms), hex('c01f 0001 00000002 00004e20 00000005 0000002d 00000003 0001e848')]),
    telemetry: {
      connectionId: 2,
      window: 20_000,
      inFlightPackets: 5,
      smoothedRttMs: 45,
      naks: 3,
      bytesPerSecond: 125_000,
    },
  },
];

describe.each(senders)('$name', ({ keepalive, telemetry }) => {
  test.each([
    { padReplies: true, least: PADDED_BYTES },
    { padReplies: false, least: TYPE_BYTES },
  ])('registers, is answered and acknowledged (padReplies: $padReplies)', async ({ padReplies, least }) => {
    await using stack = new AsyncDisposableStack();
    const gateway = stack.use(await TestGateway.start());
    const port = await gateway.listen(NO_SERVER, { options: { padReplies } });
    const links: ReplayedLink[] = [];
    for (let i = 0; i < LINKS; i += 1) links.push(stack.use(await ReplayedLink.open(port)));
    const reply = (datagram: Buffer): Buffer =>
      Buffer.concat([datagram, Buffer.alloc(Math.max(0, least - datagram.length))]);
    const [noGroup, registered] = [hex('9211'), hex('9202')].map(reply);

    // A REG2 with an id of its own is its probe, by all links; where it hears first that there is no such group, it asks for one.
    const own = randomBytes(256);
    for (const link of links) expect(await link.ask(reg2(own))).toEqual(noGroup);
    const answer = await links[1].ask(reg1(own));
    expect(answer).toHaveLength(258);
    expect(answer.subarray(0, 2)).toEqual(hex('9201'));
    const id = answer.subarray(2);
    expect(id.subarray(0, 128)).toEqual(own.subarray(0, 128));
    expect(id.subarray(128)).not.toEqual(own.subarray(128));
    expect((await gateway.statistics()).groups).toEqual([]);

    // The whole id by all links; again by one, for a REG3 may be lost.
    for (const link of links) expect(await link.ask(reg2(id))).toEqual(registered);
    expect(await links[2].ask(reg2(id))).toEqual(registered);

    // Keepalives come back as they are: the time in them is what the round trip is measured by.
    for (const ms of [1n, 123_456n, 0x1_0000_0000_0001n]) {
      for (const link of links) expect(await link.ask(keepalive(ms))).toEqual(reply(keepalive(ms)));
    }

    // Each link acknowledges what came by it, ten at a time, wherever the numbers are.
    for (let i = 0; i < 2 * ACKED_PACKETS; i += 1)
      for (const [l, link] of links.entries()) link.send(data(number(l, i)));
    for (const [l, link] of links.entries()) {
      for (let ack = 0; ack < 2; ack += 1) {
        const words = Array.from({ length: ACKED_PACKETS }, (_, i) => number(l, ack * ACKED_PACKETS + i));
        expect(wordsOf(await link.receive())).toEqual([0x9100_0000, ...words]);
      }
    }

    // Nothing else was said by any link: what comes next is what is asked next.
    for (const link of links) expect(await link.ask(keepalive(7n))).toEqual(reply(keepalive(7n)));
    const { groups, counters } = await gateway.statistics();
    expect(counters).toMatchObject({ malformed: 0, strangers: 0, unexpected: 0 });
    expect(groups).toHaveLength(1);
    expect(groups[0].links.map((link) => link.telemetry)).toEqual(new Array(LINKS).fill(telemetry));
  });
});

/** Of the packet that goes out `i`-th by link `l`, when links take turns. */
function number(l: number, i: number): number {
  return FIRST_SEQUENCE + i * LINKS + l;
}

/** All of a datagram; it must consist of words. */
function wordsOf(datagram: Buffer): number[] {
  expect(datagram.length % 4).toBe(0);
  return Array.from({ length: datagram.length / 4 }, (_, i) => datagram.readUInt32BE(4 * i));
}
