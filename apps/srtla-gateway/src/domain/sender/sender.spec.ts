import { describe, expect, test } from '@jest/globals';
import { SocketAddress } from '@mediaplane/net';
import { SrtControlType, addSequence, isSrtData, dataSequence, writeControlHeader } from '@mediaplane/srtla';
import type { Group } from '../receiver/group.ts';
import { RECEIVER_DEFAULTS } from '../receiver/options.ts';
import { Receiver } from '../receiver/receiver.ts';
import { ReplyMemory } from '../receiver/reply-memory.ts';
import { RING_BYTES, Sender } from './sender.ts';

const SECOND = 1e6;
const MS = 1000;
const DELAY_US = 20 * MS;
const INBOX = 4096;
const RECEIVER_HALF = 128;
const RING = 16_384;

interface Parcel {
  readonly dueUs: number;
  readonly bytes: Uint8Array;
  deliver(bytes: Uint8Array): void;
}

/** A sender and a receiver, the links between them, an encoder and an SRT server at the ends; on a clock of its own. */
function world(links = 2) {
  const parcels: Parcel[] = [];
  /** By link; what happens to its datagrams on the way there. */
  const cut = new Array<boolean>(links).fill(false);
  /** ... and on the way back. */
  const deaf = new Array<boolean>(links).fill(false);
  const toEncoder: Uint8Array[] = [];
  const arrived: { link: number; sequence: number }[] = [];
  const events: string[] = [];
  let nowUs = 1000 * SECOND;
  let ids = 0;
  let knowsIds = true;
  const bytes = new Uint8Array(RING + RING_BYTES);
  const view = new DataView(bytes.buffer);
  const post = (offset: number, length: number, deliver: Parcel['deliver']): void => {
    parcels.push({ dueUs: nowUs + DELAY_US, bytes: bytes.slice(offset, offset + length), deliver });
  };
  /** Puts a datagram where a batch would have it. */
  const put = (datagram: Uint8Array): number => {
    bytes.set(datagram, INBOX);
    return datagram.length;
  };
  const address = (link: number): SocketAddress => new SocketAddress().set(0, 0, 0xffff, link + 1, 5000);
  const newReceiver = (): Receiver =>
    new Receiver({
      options: RECEIVER_DEFAULTS,
      bytes,
      view,
      memory: new ReplyMemory(512, 64),
      seed: 1,
      ids: {
        issue: (id) => id.fill(0x77, RECEIVER_HALF),
        isIssued: (id) => knowsIds && id.subarray(RECEIVER_HALF).every((byte) => byte === 0x77),
      },
      output: {
        reply: (to, offset, length) => toSender(to.w3 - 1, offset, length),
        toLink: (link, offset, length) => toSender(link.address.w3 - 1, offset, length),
        toServer: (_, offset, length) => {
          if (isSrtData(view, offset, length)) arrived.push({ link: from, sequence: dataSequence(view, offset) });
        },
      },
      events: {
        groupUp: () => events.push('group-up'),
        groupDown: () => events.push('group-down'),
        linkUp: () => undefined,
        linkDown: () => undefined,
      },
    });
  let receiver = newReceiver();
  let from = 0;
  const toSender = (link: number, offset: number, length: number): void =>
    post(offset, length, (datagram) => {
      if (!deaf[link]) sender.onLinkDatagram(sender.links[link], INBOX, put(datagram), nowUs);
    });
  const toReceiver = (link: number, offset: number, length: number): void =>
    post(offset, length, (datagram) => {
      from = link;
      if (!cut[link]) receiver.onLinkDatagram(INBOX, put(datagram), address(link), nowUs);
    });
  const sender = new Sender({
    links,
    bytes,
    view,
    scratch: 0,
    ring: RING,
    output: {
      control: ({ index }, offset, length) => toReceiver(index, offset, length),
      toReceiver: ({ index }, offset, length) => toReceiver(index, offset, length),
      toEncoder: (offset, length) => toEncoder.push(bytes.slice(offset, offset + length)),
    },
    events: {
      linkUp: ({ index }) => events.push(`link ${index} up`),
      linkDown: ({ index }, reason) => events.push(`link ${index} down: ${reason}`),
      failover: ({ index }) => events.push(`link ${index} suspect`),
      recovered: ({ index }) => events.push(`link ${index} back`),
    },
    newId: () => new Uint8Array(256).fill(++ids),
  });
  /** Lets time go by, in order of what falls due. */
  const run = (us: number): void => {
    for (const until = nowUs + us; ;) {
      const next = parcels.reduce((least, { dueUs }) => Math.min(least, dueUs), Infinity);
      const at = Math.max(Math.min(next, sender.nextDueUs, receiver.nextDueUs), nowUs);
      if (at > until) {
        nowUs = until;
        return;
      }
      nowUs = at;
      const due = parcels.findIndex(({ dueUs }) => dueUs <= nowUs);
      if (due >= 0) {
        const [parcel] = parcels.splice(due, 1);
        parcel.deliver(parcel.bytes);
      }
      sender.onDeadline(nowUs);
      receiver.onDeadline(nowUs);
    }
  };
  const send = (sequence: number, flags = 0): void => {
    const packet = new Uint8Array(200);
    const packetView = new DataView(packet.buffer);
    packetView.setUint32(0, sequence);
    packetView.setUint8(4, flags);
    sender.onEncoderDatagram(INBOX, put(packet), nowUs);
  };
  const group = (): Group => [...receiver.groups.values()][0];
  /** From the SRT server. */
  const answer = (type: number, words: readonly number[]): void => {
    const packet = new Uint8Array(16 + words.length * 4);
    const packetView = new DataView(packet.buffer);
    writeControlHeader(packetView, 0, type, 1, 0, 0);
    words.forEach((word, i) => packetView.setUint32(16 + i * 4, word));
    receiver.onServerDatagram(group(), INBOX, put(packet), nowUs);
  };
  /** What arrived, each once, in order. */
  const whole = (): number[] => [...new Set(arrived.map(({ sequence }) => sequence))].toSorted((a, b) => a - b);
  /** The stream of an encoder, and the server's acknowledgements each 10 ms: 1000 packets a second. */
  const stream = (first: number, packets: number): void => {
    for (let i = 0; i < packets; i += 1) {
      send(first + i);
      run(MS);
      if (i % 10 !== 9) continue;
      const got = new Set(whole());
      let next = 0;
      while (got.has(next)) next += 1;
      answer(SrtControlType.ack, [next, 0, 0, 0, 0, 0, 0]);
    }
  };
  return {
    whole,
    stream,
    deaf,
    sender,
    run,
    send,
    cut,
    arrived,
    events,
    toEncoder,
    acknowledge: (below: number) => answer(SrtControlType.ack, [below, 0, 0, 0, 0, 0, 0]),
    nak: (...words: number[]) => answer(SrtControlType.nak, words),
    /** The receiver's process starts anew; it remembers nothing but, if it has the same key, its ids. */
    restartReceiver: (withKey: boolean) => {
      knowsIds = withKey;
      receiver = newReceiver();
    },
    forgive: () => (knowsIds = true),
    groups: () => receiver.groups.size,
    inFlight: () => sender.links.map((link) => sender.inFlight(link)),
    windows: () => sender.links.map(({ window }) => window),
  };
}

describe('registration', () => {
  test('probes, asks for a group on one link, and joins it on all', () => {
    const { run, events, groups } = world(3);
    run(SECOND);
    expect(events.filter((event) => event !== 'group-up').toSorted()).toEqual(['link 0 up', 'link 1 up', 'link 2 up']);
    expect(groups()).toBe(1);
  });

  test('a link that comes later joins the same group', () => {
    const { run, cut, events, groups } = world();
    cut[1] = true;
    run(3 * SECOND);
    expect(events).toEqual(['group-up', 'link 0 up']);
    cut[1] = false;
    run(5 * SECOND);
    expect(events).toEqual(['group-up', 'link 0 up', 'link 1 up']);
    expect(groups()).toBe(1);
  });

  test('with no receiver it goes on asking, and finds it when it comes', () => {
    const { run, cut, events } = world();
    cut.fill(true);
    run(60 * SECOND);
    expect(events).toEqual([]);
    cut.fill(false);
    run(5 * SECOND);
    expect(events.toSorted()).toEqual(['group-up', 'link 0 up', 'link 1 up']);
  });

  test('measures the round trip by its keepalives', () => {
    const { run, sender } = world();
    run(3 * SECOND);
    expect(sender.links.map(({ rttMs }) => rttMs)).toEqual([40, 40]);
  });
});

describe('data', () => {
  test('is spread over the links by the room they have, and nothing is lost or doubled', () => {
    const { run, send, arrived, acknowledge } = world();
    run(SECOND);
    for (let i = 0; i < 2000; i += 1) {
      send(i);
      run(MS);
      if (i % 10 === 9) acknowledge(Math.max(i - 40, 0));
    }
    run(SECOND);
    expect(arrived.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 2000 }, (_, i) => i),
    );
    const onFirst = arrived.filter(({ link }) => link === 0).length;
    expect(onFirst).toBeGreaterThan(900);
    expect(onFirst).toBeLessThan(1100);
  });

  test('is dropped and counted while no link is live', () => {
    const { send, sender, arrived, run } = world();
    send(1);
    run(SECOND);
    expect([sender.counters.noLink, arrived]).toEqual([1, []]);
  });

  test('acknowledgements of the bonding layer open the windows of all links', () => {
    const { run, send, windows, inFlight } = world();
    run(SECOND);
    const [before] = windows();
    for (let i = 0; i < 40; i += 1) send(i);
    run(SECOND);
    // Twenty on each link, in four ACKs: each opens both windows by one, and its own while that was full.
    expect(windows().every((window) => window >= before + 40)).toBe(true);
    expect(inFlight()).toEqual([0, 0]);
  });

  test('without them SRT’s own are enough', () => {
    const { run, send, acknowledge, inFlight } = world();
    run(SECOND);
    for (let i = 0; i < 8; i += 1) send(i);
    run(SECOND);
    expect(inFlight()).toEqual([4, 4]);
    acknowledge(6);
    run(SECOND);
    expect(inFlight()).toEqual([1, 1]);
  });

  test('a NAK makes the window of the link smaller that carried the packet, once', () => {
    const { run, send, nak, windows } = world();
    run(SECOND);
    const [before] = windows();
    for (let i = 0; i < 8; i += 1) send(i);
    // Numbers 2 and 4 to 7, of which the even ones went by the first link.
    nak(2, 0x8000_0004, 7);
    run(SECOND);
    expect(windows()).toEqual([before - 300, before - 200]);
    nak(2, 0x8000_0004, 7);
    run(SECOND);
    expect(windows()).toEqual([before - 300, before - 200]);
  });

  test('what the server says reaches the encoder, short of the zeros that a relay put behind', () => {
    const { run, send, nak, toEncoder } = world(1);
    run(SECOND);
    send(0x5000_0000);
    nak(0x5000_0000, 0, 0, 0);
    run(SECOND);
    expect(toEncoder.map(({ length }) => length)).toEqual([20]);
  });

  test('goes on across the wrap of sequence numbers, and after an encoder that begins anew', () => {
    const { run, send, acknowledge, inFlight } = world();
    run(SECOND);
    for (const start of [2 ** 31 - 2000, 17]) {
      for (let i = 0; i < 4000; i += 1) {
        send(addSequence(start, i));
        if (i % 10 === 9) {
          run(MS);
          acknowledge(addSequence(start, i - 9));
        }
      }
      run(SECOND);
      acknowledge(addSequence(start, 4000));
      run(SECOND);
      expect(inFlight()).toEqual([0, 0]);
    }
  });
});

describe('failover', () => {
  const HALF = 600;

  test.each([
    ['both ways', true],
    ['on the way there alone', false],
  ])('a link that dies %s loses nothing, without SRT’s help, and gets nothing new within 100 ms', (_, bothWays) => {
    const { run, stream, cut, deaf, whole, sender, events, arrived } = world();
    run(3 * SECOND);
    stream(0, HALF);
    const carried = sender.links[0].packets;
    cut[0] = true;
    deaf[0] = bothWays;
    stream(HALF, HALF);
    run(SECOND);
    expect(whole()).toEqual(Array.from({ length: 2 * HALF }, (_, i) => i));
    expect(events.slice(-1)).toEqual(['link 0 suspect']);
    // A thousand packets a second, half of them by this link: what it got after its death is what it got in 100 ms at the most.
    expect(sender.links[0].packets - carried).toBeLessThan(50);
    expect(sender.counters.expired).toBe(0);
    expect(sender.counters.resent).toBeGreaterThan(10);
    expect(arrived.length).toBe(2 * HALF);
  });

  test('a link that comes back is used again, and a flap of three seconds loses nothing', () => {
    const { run, stream, cut, deaf, whole, sender, events } = world();
    run(3 * SECOND);
    stream(0, HALF);
    cut[0] = true;
    deaf[0] = true;
    stream(HALF, 3000);
    cut[0] = false;
    deaf[0] = false;
    const before = sender.links[0].packets;
    stream(HALF + 3000, 1000);
    run(SECOND);
    expect(whole().length).toBe(HALF + 4000);
    // Once: what it carried before it died is held against it no more.
    const [, ...since] = events.slice(events.lastIndexOf('link 1 up'));
    expect(since.filter((event) => !event.includes('down') && !event.endsWith('up'))).toEqual([
      'link 0 suspect',
      'link 0 back',
    ]);
    expect(sender.links[0].packets - before).toBeGreaterThan(100);
  });

  test('with no other link it is used, suspect or not', () => {
    const { run, stream, sender, cut, events } = world(1);
    run(3 * SECOND);
    stream(0, 100);
    cut[0] = true;
    stream(100, 100);
    expect(sender.links[0].packets).toBe(200);
    expect(events.slice(-1)).toEqual(['link 0 up']);
  });

  test('what was lost on a link goes out again by another', () => {
    const { run, send, arrived } = world();
    run(SECOND);
    for (let i = 0; i < 8; i += 1) send(i);
    run(SECOND);
    const first = new Map(arrived.map(({ link, sequence }) => [sequence, link]));
    const R_BIT = 0x04;
    for (let i = 0; i < 8; i += 1) send(i, R_BIT);
    run(SECOND);
    const again = arrived.slice(8);
    expect(again.length).toBe(8);
    for (const { link, sequence } of again) expect(link).not.toBe(first.get(sequence));
  });

  test('the healthy links of a busy stream are never suspected', () => {
    const { run, stream, events } = world(4);
    run(3 * SECOND);
    stream(0, 3000);
    expect(events.filter((event) => event.endsWith('suspect'))).toEqual([]);
  });
});

describe('failure', () => {
  test('a silent link is down after 4 s, gets no more, and comes back small', () => {
    const { run, send, cut, events, arrived, sender } = world();
    run(SECOND);
    send(1);
    cut[0] = true;
    run(5.5 * SECOND);
    expect(events.slice(-1)).toEqual(['link 0 down: silent']);
    const before = arrived.length;
    for (let i = 2; i < 42; i += 1) send(i);
    run(SECOND);
    expect(arrived.slice(before).map(({ link }) => link)).toEqual(new Array<number>(40).fill(1));
    cut[0] = false;
    run(5 * SECOND);
    expect(events.slice(-1)).toEqual(['link 0 up']);
    expect(sender.links[0].window).toBeLessThan(sender.links[1].window);
  });

  test('a receiver that starts anew with its key has all links back without a new group id', () => {
    const { run, send, restartReceiver, events, groups } = world();
    run(SECOND);
    send(1);
    run(SECOND);
    restartReceiver(true);
    run(7 * SECOND);
    expect(groups()).toBe(1);
    expect(events.slice(3).toSorted()).toEqual([
      'group-up',
      'link 0 down: silent',
      'link 0 up',
      'link 1 down: silent',
      'link 1 up',
    ]);
  });

  test('one that has forgotten the group is asked for another', () => {
    const { run, restartReceiver, forgive, events, groups } = world();
    run(3 * SECOND);
    restartReceiver(false);
    run(5.5 * SECOND);
    forgive();
    run(6 * SECOND);
    expect(groups()).toBe(1);
    expect(events.slice(-2).toSorted()).toEqual(['link 0 up', 'link 1 up']);
  });

  test('a refusal is no sign of life, and none of it reaches the encoder', () => {
    const { run, sender, events, toEncoder } = world(1);
    run(SECOND);
    const refuse = (type: number): void => {
      const bytes = new Uint8Array(64);
      const view = new DataView(bytes.buffer);
      view.setUint16(0, type);
      const lone = new Sender({
        links: 1,
        bytes,
        view,
        scratch: 0,
        ring: 0,
        output: { control: () => undefined, toReceiver: () => undefined, toEncoder: () => toEncoder.push(bytes) },
        events: {
          linkUp: () => events.push('up'),
          linkDown: () => events.push('down'),
          failover: () => events.push('suspect'),
          recovered: () => events.push('back'),
        },
        newId: () => new Uint8Array(256),
      });
      lone.onLinkDatagram(lone.links[0], 0, 32, 1);
      expect([lone.links[0].state, lone.links[0].heardUs]).toEqual(['closed', -Infinity]);
    };
    for (const type of [0x9210, 0x9212, 0x9202, 0x9300, 0x9fff]) refuse(type);
    expect(sender.links[0].state).toBe('live');
    expect(toEncoder).toEqual([]);
  });
});
