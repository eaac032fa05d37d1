import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RECEIVER_DEFAULTS } from './options.ts';
import { Bench, SECOND } from './spec-bench.ts';
import { KEEPALIVE, NO_GROUP, REG3, REG_ERR, data, idOf, reg1, reg2, srtShutdown } from './spec-packets.ts';

const ENCODER = 77;

describe('registration', () => {
  test('REG1 gets the sender’s half back with ours, to where it came from, and leaves no trace', () => {
    const bench = new Bench();
    expect(bench.from(1, reg1(idOf(9, 0)))).toEqual([{ to: '1:5000', bytes: [...reg2(idOf(9))] }]);
    expect([bench.receiver.groups.size, bench.receiver.linkCount, bench.events]).toEqual([0, 0, []]);
  });

  test('REG2 with an id that was issued makes a group, its second a link of it', () => {
    const bench = new Bench();
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect(bench.from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
    expect(bench.events).toEqual(['group 0 up', 'link 1:5000 up', 'link 2:5000 up']);
    expect([bench.receiver.groups.size, bench.receiver.linkCount]).toEqual([1, 2]);
  });

  test('a REG2 that is repeated, for its REG3 was lost, gets it again and makes no second link', () => {
    const bench = new Bench();
    bench.from(1, reg2(idOf(9)));
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect([bench.receiver.linkCount, bench.events.length]).toEqual([1, 2]);
  });

  test('a probe with an id of nobody is told so', () => {
    const bench = new Bench();
    expect(bench.from(1, reg2(idOf(9, 0)))).toEqual([{ to: '1:5000', bytes: NO_GROUP }]);
    expect([bench.receiver.groups.size, bench.receiver.counters.unknownGroups]).toEqual([0, 1]);
  });

  test('an id that is replayed when its group is over opens one that is half open, and no more than that', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    bench.wait(50 * SECOND);
    expect(bench.receiver.groups.size).toBe(0);
    bench.takeToServer();
    expect(bench.from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
    bench.from(2, data(1));
    expect([bench.takeToServer(), bench.receiver.halfOpen]).toEqual([[], 1]);
    bench.wait(46 * SECOND);
    expect(bench.receiver.groups.size).toBe(0);
  });

  test('another tenant’s id joins nothing: it takes all 256 bytes to be of a group', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    fc.assert(
      fc.property(fc.nat(128 * 8 - 1), (bit) => {
        const id = idOf(9);
        id[128 + (bit >> 3)] ^= 1 << (bit & 7);
        expect(bench.from(2, reg2(id))).toEqual([{ to: '2:5000', bytes: NO_GROUP }]);
      }),
    );
    expect(group.links.length).toBe(1);
  });

  test('replies have their two bytes where nothing is to be padded', () => {
    expect(new Bench({ padReplies: false }).from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: [0x92, 0x02] }]);
  });

  test.each([257, 259, 2])('of %p bytes gets no answer', (length) => {
    const bench = new Bench();
    for (const whole of [reg1(idOf(9)), reg2(idOf(9))]) {
      const datagram = Uint8Array.from({ length }, (_, i) => whole[i] ?? 0);
      expect(bench.from(1, datagram)).toEqual([]);
    }
    expect(bench.receiver.counters.malformed).toBe(2);
  });

  test('an address belongs to one group while it is heard of, and to whoever asks when it is not', () => {
    const bench = new Bench();
    bench.from(1, reg2(idOf(9)));
    bench.wait(2.9 * SECOND);
    expect(bench.from(1, reg2(idOf(8)))).toEqual([{ to: '1:5000', bytes: REG_ERR }]);
    bench.wait(0.2 * SECOND);
    expect(bench.from(1, reg2(idOf(8)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
    expect(bench.events.slice(2)).toEqual(['link 1:5000 down: moved', 'group 1 up', 'link 1:5000 up']);
  });

  test('a group has so many links, and a listener so many groups; one more is refused and harms nobody', () => {
    const bench = new Bench({ maxGroups: 2 });
    const group = bench.register(9, ...Array.from({ length: 16 }, (_, i) => i + 1));
    expect(bench.from(17, reg2(idOf(9)))).toEqual([{ to: '17:5000', bytes: REG_ERR }]);
    bench.register(8, 20);
    expect(bench.from(21, reg2(idOf(7)))).toEqual([{ to: '21:5000', bytes: REG_ERR }]);
    expect([group.links.length, bench.receiver.groups.size, bench.receiver.counters.full]).toEqual([16, 2, 2]);
  });

  test('a link that has been silent for longer than a sender waits makes room for another, the longest silent first', () => {
    const bench = new Bench();
    const group = bench.register(9, ...Array.from({ length: 16 }, (_, i) => i + 1));
    bench.wait(3.9 * SECOND);
    for (let link = 3; link <= 16; link += 1) bench.from(link, Uint8Array.from(KEEPALIVE));
    expect(bench.from(17, reg2(idOf(9)))).toEqual([{ to: '17:5000', bytes: REG_ERR }]);
    bench.wait(0.1 * SECOND);
    for (const link of [17, 18]) {
      expect(bench.from(link, reg2(idOf(9)))).toEqual([{ to: `${link}:5000`, bytes: REG3 }]);
    }
    expect(bench.from(19, reg2(idOf(9)))).toEqual([{ to: '19:5000', bytes: REG_ERR }]);
    expect(bench.events.filter((event) => event.includes('down'))).toEqual([
      'link 1:5000 down: silent',
      'link 2:5000 down: silent',
    ]);
    expect(group.links.length).toBe(16);
  });

  test('who only registers, and sends whatever it likes, fills no more than the half-open part', () => {
    const bench = new Bench({ maxHalfOpenGroups: 2 });
    const group = bench.register(1, 1);
    bench.register(2, 2);
    bench.from(1, data(1));
    expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG_ERR }]);
    bench.shakeHands(group, 1, ENCODER);
    expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
    expect([bench.receiver.groups.size, bench.receiver.halfOpen]).toEqual([3, 2]);
  });

  test.each([{ maxHalfOpenGroups: 2 }, { maxGroups: 3 }])(
    'with %p: who has brought no session in 10 s makes room, the oldest first, and who streams does not',
    (options) => {
      const bench = new Bench(options);
      bench.accepted(9, ENCODER, 9);
      bench.register(1, 1);
      bench.wait(5 * SECOND);
      bench.register(2, 2);
      bench.wait(4.9 * SECOND);
      expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG_ERR }]);
      bench.wait(0.2 * SECOND);
      expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
      expect(bench.events.slice(-4)).toEqual([
        'link 1:5000 down: group-down',
        'group 1 down: no-stream',
        'group 1 up',
        'link 3:5000 up',
      ]);
      expect(bench.from(4, reg2(idOf(4)))).toEqual([{ to: '4:5000', bytes: REG_ERR }]);
    },
  );
});

test('while draining, groups without a stream are over when one has had its time', () => {
  const bench = new Bench();
  bench.accepted(9, ENCODER, 1);
  const ended = bench.accepted(8, 78, 2);
  bench.register(7, 3);
  bench.fromServer(ended, srtShutdown(78));
  bench.receiver.draining = true;
  const wait = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 1) {
      bench.wait(SECOND);
      bench.from(1, data(i));
      for (const host of [2, 3]) bench.from(host, KEEPALIVE);
    }
  };
  wait(12);
  expect(bench.events.at(-1)).toBe('group 2 down: no-stream');
  wait(20);
  expect(bench.events.at(-1)).toBe('group 1 down: stream-ended');
  expect(bench.receiver.groups.size).toBe(1);
});

test('where the half-open part is full, a group whose stream has ended keeps its place', () => {
  const bench = new Bench({ maxHalfOpenGroups: 1 });
  const group = bench.accepted(9, ENCODER, 1);
  bench.fromServer(group, srtShutdown(ENCODER));
  bench.register(8, 2);
  for (let i = 0; i < 31; i += 1) {
    bench.wait(SECOND);
    for (const host of [1, 2]) bench.from(host, KEEPALIVE);
  }
  expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
  expect([...bench.receiver.groups.values()]).toContain(group);
});

test('a group whose stream has ended stays with its sender, and makes room where there is none after 30 s', () => {
  const bench = new Bench({ maxGroups: 2, maxHalfOpenGroups: 1 });
  const group = bench.accepted(9, ENCODER, 1);
  bench.accepted(8, 78, 2);
  bench.fromServer(group, srtShutdown(ENCODER));
  const wait = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 1) {
      bench.wait(SECOND);
      for (const host of [1, 2]) bench.from(host, host === 1 ? KEEPALIVE : data(i));
    }
  };
  wait(29);
  expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG_ERR }]);
  wait(2);
  expect([...bench.receiver.groups.values()]).toContain(group);
  expect(bench.from(3, reg2(idOf(3)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
  expect(bench.events.slice(-4)).toEqual([
    'link 1:5000 down: group-down',
    'group 0 down: stream-ended',
    'group 0 up',
    'link 3:5000 up',
  ]);
});

describe('links that join a session that stands', () => {
  test('are told late, before it they are not', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    bench.from(2, reg2(idOf(9)));
    bench.shakeHands(group, 1, ENCODER);
    expect(bench.from(3, reg2(idOf(9)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
    expect(bench.events.filter((text) => text.startsWith('link'))).toEqual([
      'link 1:5000 up',
      'link 2:5000 up',
      'link 3:5000 up late',
    ]);
  });

  test('are refused where the listener wants it, and told once', () => {
    const bench = new Bench({ refuseLateLinks: true });
    bench.accepted(9, ENCODER, 1);
    for (let i = 0; i < 3; i += 1) {
      expect(bench.from(3, reg2(idOf(9)))).toEqual([{ to: '3:5000', bytes: REG_ERR }]);
      bench.wait(SECOND);
    }
    expect(bench.events.filter((text) => text.includes('late'))).toEqual(['link 3:5000 too late for 0']);
    expect(bench.receiver.counters.late).toBe(3);
  });

  test('are let in, refused or not, when they were of the group before: modems come and go', () => {
    const bench = new Bench({ refuseLateLinks: true });
    const group = bench.register(9, 1, 2);
    bench.shakeHands(group, 1, ENCODER);
    for (let i = 0; i < 16; i += 1) {
      bench.wait(SECOND);
      bench.from(1, data(i));
    }
    expect(bench.events.at(-1)).toBe('link 2:5000 down: silent');
    expect(bench.from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
    expect(bench.events.at(-1)).toBe('link 2:5000 up late');
  });
});

describe('while draining', () => {
  test('nobody new comes up and is answered; groups that are there live on and take links', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    bench.receiver.draining = true;
    expect([...bench.from(2, reg1(idOf(8, 0))), ...bench.from(2, reg2(idOf(8)))]).toEqual([]);
    expect(bench.from(3, reg2(idOf(9)))).toEqual([{ to: '3:5000', bytes: REG3 }]);
    bench.from(3, data(1));
    expect([bench.toServer.length, group.links.length, bench.receiver.counters.draining]).toEqual([1, 2, 2]);
    bench.receiver.draining = false;
    expect(bench.from(2, reg2(idOf(8)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
  });

  test('REG1 gets REG_NAK where that is configured, and never else', () => {
    const bench = new Bench({ drainingReply: 'nak', padReplies: false });
    expect(bench.from(2, reg1(idOf(8, 0)))[0].bytes.slice(0, 2)).toEqual([0x92, 0x01]);
    bench.receiver.draining = true;
    expect(bench.from(2, reg1(idOf(8, 0)))).toEqual([{ to: '2:5000', bytes: [0x92, 0x12] }]);
    expect(bench.from(2, reg2(idOf(8)))).toEqual([]);
  });
});

describe('floods', () => {
  const rates = {
    source: { perSecond: 1, burst: 3 },
    network: { perSecond: 10, burst: 20 },
    listener: { perSecond: 1e6, burst: 1e6 },
  };

  test('what is beyond the rate gets no answer and is counted, until there is room again', () => {
    const bench = new Bench({ registrationRates: rates });
    const answers = (): number => bench.from(1, reg1(idOf(9, 0))).length + bench.from(1, reg2(idOf(9, 0)), 5001).length;
    expect([answers(), answers(), answers()]).toEqual([2, 1, 0]);
    expect(bench.receiver.counters.rateLimited).toBe(3);
    bench.wait(SECOND);
    expect(answers()).toBe(1);
  });

  test('links of groups that are up register in spite of one', () => {
    const bench = new Bench({ registrationRates: rates });
    bench.register(9, 1);
    for (let i = 0; i < 100; i += 1) bench.from(2, reg2(idOf(8, 0)));
    expect(bench.from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
    expect(bench.from(1, reg2(idOf(9)))).toEqual([{ to: '1:5000', bytes: REG3 }]);
  });

  test('from many sources leave nothing behind, and those who stream lose nothing', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    for (let i = 0; i < 50_000; i += 1) {
      bench.from(1000 + i * 7, i % 2 === 0 ? reg1(idOf(8, 0)) : reg2(idOf(8, 0)));
      if (i % 50 === 0) bench.from(1, data(i));
    }
    expect([bench.receiver.groups.size, bench.receiver.linkCount]).toEqual([1, 1]);
    expect(bench.toServer.length).toBe(1000);
    // The link that streams took one.
    expect(bench.receiver.counters.rateLimited).toBe(50_001 - RECEIVER_DEFAULTS.registrationRates.listener.burst);
  });

  test('a storm of everybody, from one address of carrier-grade NAT, is let through', () => {
    const bench = new Bench();
    for (let sender = 0; sender < RECEIVER_DEFAULTS.maxGroups; sender += 1) {
      for (let link = 0; link < 16; link += 1) {
        const [answer] = bench.from(1, reg2(idOf(sender, 0)), 1024 + sender * 16 + link);
        expect(answer.bytes).toEqual(NO_GROUP);
      }
      expect(bench.from(1, reg1(idOf(sender, 0)), 1024 + sender * 16)).toHaveLength(1);
    }
    expect(bench.receiver.counters.rateLimited).toBe(0);
  });
});

test('towards an address that is no link’s, one reply at the most and no longer than what it answers', () => {
  const bench = new Bench({ drainingReply: 'nak' });
  bench.accepted(9, ENCODER, 1);
  const first = fc.constantFrom(0x00, 0x80, 0x90, 0x91, 0x92, 0x9f, 0xff);
  const second = fc.constantFrom(0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x10, 0x11, 0x12, 0xff);
  const length = fc.oneof(
    fc.integer({ min: 0, max: 1500 }),
    fc.constantFrom(0, 1, 2, 10, 16, 32, 38, 64, 257, 258, 259),
  );
  fc.assert(
    fc.property(first, second, length, fc.boolean(), fc.nat(255), (a, b, bytes, draining, fill) => {
      bench.receiver.draining = draining;
      const datagram = new Uint8Array(bytes).fill(fill).subarray(0);
      datagram.set([a, b].slice(0, bytes));
      const answers = bench.from(3, datagram);
      expect(answers.length).toBeLessThanOrEqual(1);
      for (const answer of answers) expect(answer.bytes.length).toBeLessThanOrEqual(bytes);
      expect(bench.receiver.linkCount).toBe(1);
    }),
    { numRuns: 1000 },
  );
  expect(bench.takeToServer()).toEqual([]);
});
