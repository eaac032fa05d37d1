import { describe, expect, test } from '@jest/globals';
import {
  ACK_BYTES,
  EXTENDED_KEEPALIVE_BYTES,
  LinkTelemetry,
  writeExtendedKeepalive,
  writeTimedKeepalive,
} from '@mediaplane/srtla';
import fc from 'fast-check';
import { groupKey, hexToKey, keyToHex } from './registry.ts';
import { ReplyMemory } from './reply-memory.ts';
import { Bench, SECOND, addressOf, kindsOf } from './spec-bench.ts';
import {
  KEEPALIVE,
  NO_GROUP,
  PADDED_KEEPALIVE,
  REG3,
  SERVER_SOCKET,
  conclusion,
  data,
  idOf,
  induction,
  reg2,
  srtAck,
  srtShutdown,
} from './spec-packets.ts';

const ENCODER = 77;

describe('keepalives', () => {
  const bytes = new Uint8Array(EXTENDED_KEEPALIVE_BYTES);
  const view = new DataView(bytes.buffer);

  test('come back as they were; short ones with zeros behind', () => {
    const bench = new Bench();
    bench.register(9, 1);
    writeTimedKeepalive(view, 0, 123_456);
    const timed = [...bytes.subarray(0, 10)];
    const back = (datagram: readonly number[]): number[] => bench.from(1, datagram)[0].bytes;
    expect(back(KEEPALIVE)).toEqual(PADDED_KEEPALIVE);
    expect(back(timed)).toEqual([...timed, ...new Array<number>(22).fill(0)]);
    const long = Array.from({ length: 1400 }, (_, i) => (i === 0 ? 0x90 : i === 1 ? 0 : i & 0xff));
    expect(back(long)).toEqual(long);
  });

  test('tell what the sender knows of its link', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    const telemetry = Object.assign(new LinkTelemetry(), { smoothedRttMs: 45, bytesPerSecond: 125_000 });
    writeExtendedKeepalive(view, 0, 1, telemetry);
    expect(bench.from(1, bytes)).toEqual([{ to: '1:5000', bytes: [...bytes] }]);
    expect(group.links[0].telemetry).toEqual(telemetry);
    bench.from(1, KEEPALIVE);
    expect(group.links[0].telemetry).toEqual(telemetry);
  });

  test('of a stranger get no answer', () => {
    const bench = new Bench();
    expect(bench.from(1, KEEPALIVE)).toEqual([]);
    expect(bench.receiver.counters.strangers).toBe(1);
  });
});

describe('time', () => {
  test('a silent link goes after 15 s, its group 30 s later, and its sender may come back to either', () => {
    const bench = new Bench();
    const { receiver } = bench;
    bench.accepted(9, ENCODER, 1, 2);
    for (let i = 0; i < 16; i += 1) {
      bench.wait(SECOND);
      bench.from(1, data(i));
    }
    expect(bench.events.slice(4)).toEqual(['link 2:5000 down: silent']);
    bench.wait(16 * SECOND);
    expect([receiver.groups.size, receiver.linkCount]).toEqual([1, 0]);
    bench.register(9, 1);
    expect(receiver.groups.size).toBe(1);
    bench.wait(47 * SECOND);
    expect(bench.events.slice(-3)).toEqual([
      'group 0 ended by silence',
      'link 1:5000 down: silent',
      'group 0 down: no-links',
    ]);
    expect([receiver.groups.size, receiver.nextDueUs]).toEqual([0, Infinity]);
  });

  test('a group whose links are all gone is over after another 30 s', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    bench.wait(47 * SECOND);
    expect(bench.events.slice(3)).toEqual([
      'link 1:5000 down: silent',
      'group 0 ended by silence',
      'group 0 down: no-links',
    ]);
  });

  test('a group in which no session comes to stand lives as long as its links: senders come before encoders', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    for (let i = 0; i < 100; i += 1) {
      bench.wait(SECOND);
      bench.from(1, KEEPALIVE);
    }
    bench.shakeHands(group, 1, ENCODER);
    bench.from(1, data(1));
    expect([bench.takeToServer().length, bench.receiver.halfOpen]).toEqual([1, 0]);
  });
});

describe('a receiver that takes up groups of before', () => {
  const former = {
    key: groupKey(idOf(9)),
    links: [
      { address: addressOf(1), joinedLate: false },
      { address: addressOf(2), joinedLate: true },
    ],
    stream: { callerSocketId: ENCODER, serverSocketId: SERVER_SOCKET, latencyMs: 300 },
  };

  test('carries their streams both ways at once, before any REG2', () => {
    const bench = new Bench();
    bench.receiver.resume([former], bench.nowUs);
    expect(bench.events).toEqual(['group 0 resumed', 'link 1:5000 up', 'link 2:5000 up late']);
    bench.from(2, data(5));
    bench.from(1, data(6));
    expect(bench.takeToServer()).toEqual([[...data(5)], [...data(6)]]);
    const group = bench.groupOf(1);
    expect(bench.fromServer(group, srtAck(ENCODER))).toHaveLength(2);
    expect([group.stream?.latencyMs, bench.receiver.halfOpen]).toEqual([300, 0]);
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
  });

  test('takes links of theirs that it does not know by REG2, and nobody else’s data', () => {
    const bench = new Bench();
    bench.receiver.resume([former], bench.nowUs);
    bench.from(3, data(5));
    expect(bench.takeToServer()).toEqual([]);
    expect(bench.from(3, reg2(idOf(9)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
    bench.from(3, data(5));
    expect(bench.takeToServer()).toHaveLength(1);
  });

  test('counts their times from its start', () => {
    const bench = new Bench();
    bench.receiver.resume([former], bench.nowUs);
    bench.wait(14 * SECOND);
    expect(bench.receiver.linkCount).toBe(2);
    bench.from(1, data(1));
    bench.wait(2 * SECOND);
    expect([bench.receiver.linkCount, bench.receiver.groups.size]).toEqual([1, 1]);
  });

  test('lets one without a session in by its handshake, and ends one whose links do not come back', () => {
    const bench = new Bench();
    bench.receiver.resume([{ ...former, stream: null }], bench.nowUs);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toEqual([]);
    bench.shakeHands(bench.groupOf(1), 1, ENCODER);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toHaveLength(1);
    bench.receiver.resume([{ ...former, key: groupKey(idOf(8)), stream: null, links: [] }], bench.nowUs);
    bench.wait(31 * SECOND);
    expect(bench.events).toContain('group 1 down: no-links');
  });

  test('gives an address to one group only, and a group up once', () => {
    const bench = new Bench();
    bench.receiver.resume([former, former, { ...former, key: groupKey(idOf(8)) }], bench.nowUs);
    expect([...bench.receiver.groups.values()].map(({ links }) => links.length)).toEqual([2, 0]);
  });

  test('where rules decide, an encoder of before that shakes hands again is authorised as any other', () => {
    const bench = new Bench({ ingest: 'decide' });
    bench.receiver.resume([former], bench.nowUs);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toHaveLength(1);
    const [answer] = bench.from(1, induction(ENCODER));
    const cookie = new DataView(Uint8Array.from(answer.bytes).buffer).getUint32(44);
    bench.from(1, conclusion(ENCODER, { cookie, streamId: 'x' }));
    expect(bench.events.at(-1)).toBe('group 0 asks 1: x');
  });
});

describe('a group that is kicked', () => {
  test('is over, its session at both ends, and its id is nobody’s; others of its sender are good', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1, 2);
    const goodbyes = bench.does(() => bench.receiver.kick(group, bench.nowUs));
    expect(goodbyes).toEqual(['1:5000', '2:5000'].map((to) => ({ to, bytes: [...srtShutdown(ENCODER)] })));
    expect(kindsOf(bench.takeToServer())).toEqual(['shutdown']);
    expect(bench.events.slice(-4)).toEqual([
      'group 0 ended by gateway',
      'link 1:5000 down: group-down',
      'link 2:5000 down: group-down',
      'group 0 down: kicked',
    ]);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toEqual([]);
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: NO_GROUP }]);
    expect(bench.from(1, reg2(idOf(8)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
  });

  test('before the process was started again, is too', () => {
    const bench = new Bench();
    bench.receiver.endId(groupKey(idOf(9)));
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: NO_GROUP }]);
    for (let i = 0; i < 5000; i += 1) bench.receiver.endId(`${i}`);
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
  });
});

test('an id is told in hexadecimal digits, there and back', () => {
  const key = groupKey(Uint8Array.from({ length: 256 }, (_, i) => i));
  expect(keyToHex(key)).toHaveLength(512);
  expect(hexToKey(keyToHex(key))).toBe(key);
  for (const wrong of ['', 'zz', keyToHex(key).slice(2), `${keyToHex(key)}00`]) {
    expect(() => hexToKey(wrong)).toThrow(RangeError);
  }
});

describe('whatever comes, from links, servers and strangers', () => {
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // Something that begins well, cut or altered.
    fc
      .tuple(
        fc.constantFrom(
          reg2(idOf(9)),
          reg2(idOf(3, 0)),
          data(5),
          induction(ENCODER),
          induction(5),
          conclusion(ENCODER, { streamId: 'live/key', encrypted: true }),
          conclusion(6, { streamId: 'live/key' }),
          srtAck(SERVER_SOCKET),
          srtAck(ENCODER),
          Uint8Array.from(KEEPALIVE),
        ),
        fc.nat(1500),
        fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { maxLength: 3 }),
      )
      .map(([whole, length, changes]) => {
        const bytes = Uint8Array.from(whole.subarray(0, length));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      }),
  );
  const source = fc.constantFrom('link', 'stranger', 'server');

  test.each(['pass', 'decide'] as const)('%s: nothing throws, and another group loses nothing', (ingest) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(source, datagram, fc.nat(300_000)), { maxLength: 60 }), (steps) => {
        const bench = new Bench({ ingest });
        const stream = { callerSocketId: ENCODER, serverSocketId: SERVER_SOCKET, latencyMs: 300 };
        const links = [{ address: addressOf(1), joinedLate: false }];
        bench.receiver.resume([{ key: groupKey(idOf(1)), links, stream }], bench.nowUs);
        const good = bench.groupOf(1);
        const bad = bench.register(2, 2);
        steps.forEach(([from, bytes, us], i) => {
          if (from === 'server') bench.fromServer(bad, bytes);
          else bench.from(from === 'link' ? 2 : 3, bytes);
          bench.from(1, data(i));
          expect(bench.fromServer(good, srtAck(ENCODER)).map(({ to }) => to)).toEqual(['1:5000']);
          bench.wait(us);
        });
        const arrived = bench.toServer.filter(({ group }) => group === good.index);
        expect(arrived.map(({ bytes }) => bytes[3])).toEqual(steps.map((_, i) => i));
        expect(bench.receiver.linkCount).toBeLessThanOrEqual(3);
      }),
      { numRuns: 300 },
    );
  });
});

test('acknowledgements of one pass do not overwrite each other, nor a reply', () => {
  const memory = new ReplyMemory(100, 3);
  const places = [memory.nextAck(), memory.nextAck(), memory.nextAck()];
  expect(places.map((at) => at - places[0])).toEqual([0, ACK_BYTES, 2 * ACK_BYTES]);
  expect(memory.reply + 1984).toBeLessThanOrEqual(places[0]);
  expect(places[2] + ACK_BYTES).toBe(100 + ReplyMemory.bytes(3));
  expect(memory.nextAck()).toBe(places[0]);
});
