import { describe, expect, test } from '@jest/globals';
import { SocketAddress } from '@mediaplane/net';
import {
  ACK_BYTES,
  EXTENDED_KEEPALIVE_BYTES,
  GROUP_ID_BYTES,
  LinkTelemetry,
  SENDER_HALF_BYTES,
  SrtlaType,
  ackSequence,
  writeExtendedKeepalive,
  writeRegistration,
  writeTimedKeepalive,
} from '@mediaplane/srtla';
import fc from 'fast-check';
import type { Group } from './group.ts';
import { RECEIVER_DEFAULTS } from './options.ts';
import type { ReceiverOptions } from './options.ts';
import { Receiver } from './receiver.ts';
import { ReplyMemory } from './reply-memory.ts';

const SECOND = 1e6;
const BATCH = 64;
/** Where received datagrams lie. */
const INBOX = 4096;
const ISSUED = 0x55;

interface Sent {
  readonly to: string;
  readonly bytes: number[];
}

const addressOf = (host: number, port = 5000): SocketAddress =>
  new SocketAddress().set(0, 0, 0xffff, 0x0a000000 + host, port);
const nameOf = ({ w3, port }: { w3: number; port: number }): string => `${w3 - 0x0a000000}:${port}`;

/** A receiver, with a sender's view of it: what is handed in, what comes out, and a clock. */
function bench(options: Partial<ReceiverOptions> = {}) {
  const bytes = new Uint8Array(8192);
  const view = new DataView(bytes.buffer);
  const sent: Sent[] = [];
  const toServer: { group: number; bytes: number[] }[] = [];
  const events: string[] = [];
  let nowUs = 100 * SECOND;
  const slice = (offset: number, length: number): number[] => [...bytes.subarray(offset, offset + length)];
  const receiver = new Receiver({
    options: { ...RECEIVER_DEFAULTS, ...options },
    bytes,
    view,
    memory: new ReplyMemory(0, BATCH),
    seed: 42,
    // The half that a receiver chooses is always the same byte here; the real one is a sealed token.
    ids: {
      issue: (id) => id.fill(ISSUED, SENDER_HALF_BYTES),
      isIssued: (id) => id.subarray(SENDER_HALF_BYTES).every((byte) => byte === ISSUED),
    },
    output: {
      reply: (to, offset, length) => sent.push({ to: nameOf(to), bytes: slice(offset, length) }),
      toLink: ({ address }, offset, length) => sent.push({ to: nameOf(address), bytes: slice(offset, length) }),
      toServer: (group, offset, length) => toServer.push({ group: group.index, bytes: slice(offset, length) }),
    },
    events: {
      groupUp: (group) => events.push(`group ${group.index} up`),
      linkUp: (link) => events.push(`link ${nameOf(link.address)} up`),
      linkDown: (link, reason) => events.push(`link ${nameOf(link.address)} down: ${reason}`),
      groupDown: (group, reason) => events.push(`group ${group.index} down: ${reason}`),
    },
  });
  const give = (datagram: ArrayLike<number>, handle: (offset: number, length: number) => void): Sent[] => {
    bytes.set(datagram, INBOX);
    const before = sent.length;
    handle(INBOX, datagram.length);
    return sent.slice(before);
  };
  const from = (host: number, datagram: ArrayLike<number>, port?: number): Sent[] =>
    give(datagram, (offset, length) => receiver.onLinkDatagram(offset, length, addressOf(host, port), nowUs));
  const fromServer = (group: Group, datagram: ArrayLike<number>): string[] =>
    give(datagram, (offset, length) => receiver.onServerDatagram(group, offset, length, nowUs)).map(({ to }) => to);
  const wait = (us: number): void => {
    for (const until = nowUs + us; nowUs < until;) {
      nowUs = Math.min(receiver.nextDueUs, until);
      receiver.onDeadline(nowUs);
    }
  };
  /** The whole handshake of a group with these links. */
  const register = (sender: number, ...hosts: number[]): Group => {
    for (const host of hosts) expect(from(host, reg2(idOf(sender)))).toEqual([{ to: `${host}:5000`, bytes: REG3 }]);
    const group = [...receiver.groups.values()].find(({ links }) =>
      links.some((l) => l.address.w3 === addressOf(hosts[0]).w3),
    );
    if (group === undefined) throw new Error('no group');
    return group;
  };
  return { receiver, from, fromServer, wait, register, toServer, events };
}

const padded = (...start: number[]): number[] => [...start, ...new Array<number>(32 - start.length).fill(0)];
const REG3 = padded(0x92, 0x02);
const REG_ERR = padded(0x92, 0x10);
const NO_GROUP = padded(0x92, 0x11);

const idOf = (sender: number, half = ISSUED): Uint8Array => {
  const id = new Uint8Array(GROUP_ID_BYTES).fill(sender, 0, SENDER_HALF_BYTES);
  return id.fill(half, SENDER_HALF_BYTES);
};
const registration = (type: typeof SrtlaType.reg1 | typeof SrtlaType.reg2, id: Uint8Array): Uint8Array => {
  const datagram = new Uint8Array(258);
  writeRegistration(datagram, 0, type, id);
  return datagram;
};
const reg1 = (id: Uint8Array): Uint8Array => registration(SrtlaType.reg1, id);
const reg2 = (id: Uint8Array): Uint8Array => registration(SrtlaType.reg2, id);

const data = (sequence: number): Uint8Array => {
  const datagram = new Uint8Array(1332).fill(7);
  new DataView(datagram.buffer).setUint32(0, sequence);
  return datagram;
};
const control = (type: number, length = 44): Uint8Array => {
  const datagram = new Uint8Array(length);
  new DataView(datagram.buffer).setUint16(0, 0x8000 | type);
  return datagram;
};
const SRT_ACK = control(2);
const SRT_NAK = control(3, 20);
const SRT_HANDSHAKE = control(0, 64);

describe('registration', () => {
  test('REG1 gets the sender’s half back with ours, to where it came from, and leaves no trace', () => {
    const { receiver, from, events } = bench();
    const [answer, ...more] = from(1, reg1(idOf(9, 0)));
    expect(answer).toEqual({ to: '1:5000', bytes: [...reg2(idOf(9))] });
    expect(more).toEqual([]);
    expect([receiver.groups.size, receiver.linkCount, events]).toEqual([0, 0, []]);
  });

  test('REG2 with an id that was issued makes a group, its second a link of it', () => {
    const { receiver, from, events } = bench();
    expect(from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect(from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
    expect(events).toEqual(['group 0 up', 'link 1:5000 up', 'link 2:5000 up']);
    expect([receiver.groups.size, receiver.linkCount]).toEqual([1, 2]);
  });

  test('a REG2 that is repeated, for its REG3 was lost, gets it again and makes no second link', () => {
    const { receiver, from, events } = bench();
    from(1, reg2(idOf(9)));
    expect(from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect([receiver.linkCount, events.length]).toEqual([1, 2]);
  });

  test('a probe with an id of nobody is told so', () => {
    const { receiver, from } = bench();
    expect(from(1, reg2(idOf(9, 0)))).toEqual([{ to: '1:5000', bytes: NO_GROUP }]);
    expect([receiver.groups.size, receiver.counters.unknownGroups]).toEqual([0, 1]);
  });

  test('replies have their two bytes where nothing is to be padded', () => {
    const { from } = bench({ padReplies: false });
    expect(from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: [0x92, 0x02] }]);
  });

  test.each([257, 259, 2])('of %p bytes gets no answer', (length) => {
    const { receiver, from } = bench();
    for (const datagram of [reg1(idOf(9)), reg2(idOf(9))]) {
      expect(
        from(
          1,
          Uint8Array.from({ length }, (_, i) => datagram[i] ?? 0),
        ),
      ).toEqual([]);
    }
    expect(receiver.counters.malformed).toBe(2);
  });

  test('an address belongs to one group while it is heard of, and to whoever asks when it is not', () => {
    const { from, wait, events } = bench();
    from(1, reg2(idOf(9)));
    wait(2.9 * SECOND);
    expect(from(1, reg2(idOf(8)))).toEqual([{ to: '1:5000', bytes: REG_ERR }]);
    wait(0.2 * SECOND);
    expect(from(1, reg2(idOf(8)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect(events.slice(2)).toEqual(['link 1:5000 down: moved', 'group 1 up', 'link 1:5000 up']);
  });

  test('a group has so many links, and a listener so many groups; one more is refused and harms nobody', () => {
    const { receiver, from, register } = bench({ maxGroups: 2 });
    const group = register(9, ...Array.from({ length: 16 }, (_, i) => i + 1));
    expect(from(17, reg2(idOf(9)))).toEqual([{ to: '17:5000', bytes: REG_ERR }]);
    register(8, 20);
    expect(from(21, reg2(idOf(7)))).toEqual([{ to: '21:5000', bytes: REG_ERR }]);
    expect([group.links.length, receiver.groups.size, receiver.counters.full]).toEqual([16, 2, 2]);
  });

  test('who only shakes hands fills no more than the half-open part', () => {
    const { receiver, from, register } = bench({ maxHalfOpenGroups: 2 });
    register(1, 1);
    register(2, 2);
    expect(from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG_ERR }]);
    from(1, data(1));
    expect(from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
    expect(receiver.groups.size).toBe(3);
  });
});

describe('SRT', () => {
  test('goes to the group’s server as it is, from whatever link it came by', () => {
    const { from, register, toServer } = bench();
    register(9, 1, 2);
    register(8, 3);
    for (const [host, sequence] of [
      [1, 5],
      [2, 6],
      [3, 7],
    ] as const)
      from(host, data(sequence));
    from(2, SRT_HANDSHAKE);
    expect(toServer.map(({ group }) => group)).toEqual([0, 0, 1, 0]);
    expect(toServer[1].bytes).toEqual([...data(6)]);
    expect(toServer[3].bytes).toEqual([...SRT_HANDSHAKE]);
  });

  test('every tenth data packet of a link is acknowledged on that link', () => {
    const { from, register } = bench();
    register(9, 1, 2);
    const answers = Array.from({ length: 25 }, (_, i) => [...from(1, data(i)), ...from(2, data(100 + i))]);
    expect(answers.flatMap((sent, i) => (sent.length > 0 ? [i] : []))).toEqual([9, 19]);
    expect(answers[9].map(({ to, bytes }) => [to, bytes.length])).toEqual([
      ['1:5000', ACK_BYTES],
      ['2:5000', ACK_BYTES],
    ]);
    const view = new DataView(Uint8Array.from(answers[19][1].bytes).buffer);
    expect(Array.from({ length: 10 }, (_, i) => ackSequence(view, 0, i))).toEqual([
      110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
    ]);
  });

  test('control packets are not acknowledged', () => {
    const { from, register } = bench();
    register(9, 1);
    for (let i = 0; i < 20; i += 1) expect(from(1, SRT_ACK)).toEqual([]);
  });

  test('of a stranger, or too short, is dropped and counted', () => {
    const { receiver, from, register, toServer } = bench();
    register(9, 1);
    expect([...from(2, data(1)), ...from(1, data(1), 5001), ...from(1, [1, 2, 3]), ...from(1, control(2, 19))]).toEqual(
      [],
    );
    expect(toServer).toEqual([]);
    expect(receiver.counters).toMatchObject({ strangers: 2, malformed: 2 });
  });
});

describe('what the server says', () => {
  test('a NAK goes to all links, as long as it was', () => {
    const { fromServer, register } = bench();
    const group = register(9, 1, 2, 3);
    expect(fromServer(group, SRT_NAK)).toEqual(['1:5000', '2:5000', '3:5000']);
  });

  test('an ACK goes to the two freshest links, and to the others ten times a second', () => {
    const { from, fromServer, register, wait } = bench();
    const group = register(9, 1, 2, 3, 4);
    const deliver = (): void => {
      from(4, data(1));
      wait(1000);
      from(2, data(2));
      wait(1000);
    };
    deliver();
    expect(fromServer(group, SRT_ACK)).toEqual(['1:5000', '2:5000', '3:5000', '4:5000']);
    const counts = new Map<string, number>();
    for (let i = 0; i < 100; i += 1) {
      wait(8000);
      deliver();
      for (const to of fromServer(group, SRT_ACK)) counts.set(to, (counts.get(to) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ '1:5000': 10, '2:5000': 100, '3:5000': 10, '4:5000': 100 });
  });

  test('anything else goes to the link that brought SRT last', () => {
    const { from, fromServer, register, wait } = bench();
    const group = register(9, 1, 2, 3);
    wait(1000);
    from(2, data(1));
    wait(1000);
    from(1, [0x90, 0x00]);
    for (const datagram of [SRT_HANDSHAKE, control(1, 16), control(5, 16), data(7)]) {
      expect(fromServer(group, datagram)).toEqual(['2:5000']);
    }
    expect(fromServer(group, [0x80])).toEqual([]);
  });

  test('is lost when the group has no link', () => {
    const { fromServer, register, wait, from } = bench();
    const group = register(9, 1);
    from(1, data(1));
    wait(16 * SECOND);
    expect([SRT_ACK, SRT_NAK, SRT_HANDSHAKE].flatMap((datagram) => fromServer(group, datagram))).toEqual([]);
  });
});

describe('keepalives', () => {
  const bytes = new Uint8Array(EXTENDED_KEEPALIVE_BYTES);
  const view = new DataView(bytes.buffer);

  test('come back as they were; short ones with zeros behind', () => {
    const { from, register } = bench();
    register(9, 1);
    writeTimedKeepalive(view, 0, 123_456);
    const timed = [...bytes.subarray(0, 10)];
    expect(from(1, [0x90, 0x00])).toEqual([{ to: '1:5000', bytes: padded(0x90, 0x00) }]);
    expect(from(1, timed)).toEqual([{ to: '1:5000', bytes: padded(...timed) }]);
    const long = Uint8Array.from({ length: 1400 }, (_, i) => (i === 0 ? 0x90 : i === 1 ? 0 : i & 0xff));
    expect(from(1, long)).toEqual([{ to: '1:5000', bytes: [...long] }]);
  });

  test('tell what the sender knows of its link', () => {
    const { from, register } = bench();
    const group = register(9, 1);
    const telemetry = Object.assign(new LinkTelemetry(), { smoothedRttMs: 45, bytesPerSecond: 125_000 });
    writeExtendedKeepalive(view, 0, 1, telemetry);
    expect(from(1, bytes)).toEqual([{ to: '1:5000', bytes: [...bytes] }]);
    expect(group.links[0].telemetry).toEqual(telemetry);
    from(1, [0x90, 0x00]);
    expect(group.links[0].telemetry).toEqual(telemetry);
  });

  test('of a stranger get no answer', () => {
    const { receiver, from } = bench();
    expect(from(1, [0x90, 0x00])).toEqual([]);
    expect(receiver.counters.strangers).toBe(1);
  });
});

describe('time', () => {
  test('a silent link goes after 15 s, its group 30 s later, and its sender may come back to either', () => {
    const { receiver, from, wait, register, events } = bench();
    register(9, 1, 2);
    from(1, data(1));
    for (let i = 0; i < 16; i += 1) {
      wait(SECOND);
      from(1, [0x90, 0x00]);
    }
    expect(events.slice(3)).toEqual(['link 2:5000 down: silent']);
    wait(16 * SECOND);
    expect([receiver.groups.size, receiver.linkCount]).toEqual([1, 0]);
    register(9, 1);
    expect(receiver.groups.size).toBe(1);
    wait(47 * SECOND);
    expect(events.slice(-2)).toEqual(['link 1:5000 down: silent', 'group 0 down: no-links']);
    expect([receiver.groups.size, receiver.nextDueUs]).toEqual([0, Infinity]);
  });

  test('a group that brings no data is over after 10 s, keepalives or not', () => {
    const { receiver, from, wait, register, events } = bench();
    register(9, 1);
    for (let i = 0; i < 11; i += 1) {
      wait(SECOND);
      from(1, [0x90, 0x00]);
      from(1, SRT_HANDSHAKE);
    }
    expect(events.slice(-2)).toEqual(['link 1:5000 down: group-down', 'group 0 down: no-stream']);
    expect([receiver.groups.size, receiver.linkCount]).toEqual([0, 0]);
  });
});

test('whatever strangers and links send, answers are no longer than questions but for padding, one each at the most', () => {
  const { receiver, from, register } = bench();
  register(9, 1);
  const first = fc.constantFrom(0x00, 0x80, 0x90, 0x91, 0x92, 0x9f, 0xff);
  const second = fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x10, 0x11, 0x12);
  fc.assert(
    fc.property(first, second, fc.uint8Array({ maxLength: 300 }), fc.constantFrom(1, 2), (a, b, rest, host) => {
      const datagram = [a, b, ...rest];
      const answers = from(host, datagram);
      // The link's every tenth packet is acknowledged: that is an answer to ten.
      const own = answers.filter(({ bytes }) => bytes[1] !== 0x00 || bytes[0] !== 0x91);
      expect(own.length).toBeLessThanOrEqual(1);
      for (const { bytes } of own) expect(bytes.length).toBeLessThanOrEqual(Math.max(datagram.length, 32));
      expect(receiver.groups.size).toBe(1);
    }),
  );
});

test('acknowledgements of one pass do not overwrite each other, nor a reply', () => {
  const memory = new ReplyMemory(100, 3);
  const places = [memory.nextAck(), memory.nextAck(), memory.nextAck()];
  expect(places).toEqual([358, 402, 446]);
  expect(memory.reply + 258).toBeLessThanOrEqual(places[0]);
  expect(places[2] + ACK_BYTES).toBe(100 + ReplyMemory.bytes(3));
  expect(memory.nextAck()).toBe(358);
});
