import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { LatchMode } from './latch.ts';
import { AddressLatch, LatchVerdict, NO_SEQUENCE, RTCP_LATCH_OPTIONS, RTP_LATCH_OPTIONS } from './latch.ts';

const { drop, accept, moved } = LatchVerdict;
const MS = 1000;
const FRAME_US = 20 * MS;
const { windowUs, silenceUs, packetsInOrder } = RTP_LATCH_OPTIONS;

interface Address {
  readonly host: number;
  readonly port: number;
}
const SIGNALLED: Address = { host: 0x0a000001, port: 4000 };
const SAME_HOST: Address = { host: 0x0a000001, port: 4002 };
/** Where a phone behind a NAT really sends from. */
const NATTED: Address = { host: 0x51000001, port: 31_000 };
const ATTACKER: Address = { host: 0x66000001, port: 6000 };
const ATTACKER_2: Address = { host: 0x66000002, port: 6000 };

/** Something that sends RTP in order from one address. */
class Sender {
  readonly from: Address;
  ssrc: number;
  sequence: number;
  constructor(from: Address, ssrc = from.host ^ from.port, sequence = 100) {
    this.from = from;
    this.ssrc = ssrc;
    this.sequence = sequence;
  }
}

let nowUs = 0;
let latch = new AddressLatch('learn-once', RTP_LATCH_OPTIONS, 0);

beforeEach(() => open('learn-once'));

function open(mode: LatchMode, remote: Address | null = SIGNALLED): void {
  nowUs = 1e12;
  latch = new AddressLatch(mode, RTP_LATCH_OPTIONS, nowUs);
  if (remote !== null) latch.setRemote(0, 0, 0xffff, remote.host, remote.port, nowUs);
}

function send(sender: Sender): LatchVerdict {
  const { host, port } = sender.from;
  const verdict = latch.accept(0, 0, 0xffff, host, port, sender.ssrc, sender.sequence, nowUs);
  sender.sequence = (sender.sequence + 1) & 0xffff;
  return verdict;
}

/** Every 20 ms one packet of each, in this order. Returns how many of each were accepted. */
function talk(frames: number, ...senders: Sender[]): number[] {
  const accepted = senders.map(() => 0);
  for (let i = 0; i < frames; i++) {
    nowUs += FRAME_US;
    senders.forEach((sender, k) => (accepted[k] += send(sender) === drop ? 0 : 1));
  }
  return accepted;
}

const isCurrent = (address: Address) => latch.current.w3 === address.host && latch.current.port === address.port;

describe('off', () => {
  beforeEach(() => open('off'));

  test('takes the signalled address alone, at any time', () => {
    expect(talk(200, new Sender(ATTACKER), new Sender(SAME_HOST))).toEqual([0, 0]);
    expect(talk(10, new Sender(SIGNALLED))).toEqual([10]);
    nowUs += 10 * silenceUs;
    expect(talk(100, new Sender(ATTACKER))).toEqual([0]);
    expect(latch).toMatchObject({ dropped: 500, heard: true });
  });

  test('takes nothing before a remote is named, and then only the new one', () => {
    open('off', null);
    expect(talk(5, new Sender(SIGNALLED))).toEqual([0]);
    latch.setRemote(0, 0, 0xffff, SIGNALLED.host, SIGNALLED.port, nowUs);
    expect(talk(5, new Sender(SIGNALLED))).toEqual([5]);
    latch.setRemote(0, 0, 0xffff, NATTED.host, NATTED.port, nowUs);
    expect(talk(5, new Sender(SIGNALLED), new Sender(NATTED))).toEqual([0, 5]);
  });
});

describe('learn-once: learning', () => {
  test('sends to the signalled address until a source is heard', () => {
    expect(isCurrent(SIGNALLED)).toBe(true);
    expect(latch.heard).toBe(false);
    open('learn-once', null);
    expect(latch.current.port).toBe(0);
  });

  test('the signalled source is taken at its first packet, even long after the window', () => {
    nowUs += 100 * windowUs;
    expect(send(new Sender(SIGNALLED))).toBe(accept);
    expect(latch.established).toBe(true);
  });

  test('a source behind a NAT is taken at its first packet within the window: none is lost', () => {
    expect(talk(50, new Sender(NATTED))).toEqual([50]);
    expect(isCurrent(NATTED)).toBe(true);
  });

  test('after the window a source behind a NAT must be proved first', () => {
    nowUs += windowUs;
    expect(talk(50, new Sender(NATTED))).toEqual([50 - packetsInOrder + 1]);
  });

  test('the signalled source displaces an earlier one at its first packet', () => {
    talk(20, new Sender(ATTACKER));
    expect(send(new Sender(SIGNALLED))).toBe(moved);
    expect(talk(500, new Sender(ATTACKER), new Sender(SIGNALLED))).toEqual([0, 500]);
  });

  test('a port scan holds nothing: the first source that is proved gets the stream', () => {
    expect(send(new Sender(ATTACKER))).toBe(moved);
    expect(talk(packetsInOrder, new Sender(NATTED))).toEqual([1]);
    expect(isCurrent(NATTED)).toBe(true);
  });

  test.each([0, windowUs])('an attacker that is first but out of order holds nothing (%i us after open)', (laterUs) => {
    const attacker = new Sender(ATTACKER);
    const phone = new Sender(NATTED);
    send(attacker);
    nowUs += laterUs;
    let accepted = 0;
    for (let i = 0; i < 50; i++) {
      attacker.sequence += 7;
      accepted += talk(1, attacker, phone)[1];
    }
    expect(accepted).toBe(50 - packetsInOrder + 1);
    expect(isCurrent(NATTED)).toBe(true);
  });

  test('the host that was signalled beats a stranger within the window, when proved', () => {
    const attacker = new Sender(ATTACKER);
    talk(20, attacker);
    expect(talk(20, attacker, new Sender(SAME_HOST))).toEqual([packetsInOrder, 20 - packetsInOrder + 1]);
    expect(isCurrent(SAME_HOST)).toBe(true);
  });

  test('a hint makes another host as good (RTCP after RTP)', () => {
    latch.setHint(0, 0, 0xffff, NATTED.host);
    const attacker = new Sender(ATTACKER);
    talk(20, attacker);
    talk(packetsInOrder, attacker, new Sender({ host: NATTED.host, port: 40_001 }));
    expect(latch.current.w3).toBe(NATTED.host);
  });

  test('the same remote again opens no window, a new one does', () => {
    talk(500, new Sender(SIGNALLED));
    latch.setRemote(0, 0, 0xffff, SIGNALLED.host, SIGNALLED.port, nowUs);
    expect(send(new Sender(ATTACKER))).toBe(drop);
    latch.setRemote(0, 0, 0xffff, 0x0a000099, 5000, nowUs);
    expect(latch).toMatchObject({ heard: false, current: { w3: 0x0a000099, port: 5000 } });
    expect(send(new Sender(NATTED))).toBe(moved);
  });

  test('a remote named after its early media keeps the stream and makes it sure', () => {
    open('learn-once', null);
    talk(3, new Sender(SIGNALLED));
    latch.setRemote(0, 0, 0xffff, SIGNALLED.host, SIGNALLED.port, nowUs);
    expect(latch).toMatchObject({ heard: true, established: true });
    expect(talk(100, new Sender(ATTACKER), new Sender(SIGNALLED))).toEqual([0, 100]);
  });
});

describe('learn-once: attacks', () => {
  test.each([
    ['the signalled source', SIGNALLED],
    ['a source behind a NAT', NATTED],
  ])('injection while %s talks', (_, address) => {
    const phone = new Sender(address);
    talk(10, phone);
    const attackers = [ATTACKER, ATTACKER_2, { host: address.host, port: 9 }].map((from) => new Sender(from));
    expect(talk(1000, ...attackers, phone)).toEqual([0, 0, 0, 1000]);
    expect(latch.challenges).toBeGreaterThan(0);
    expect(latch.dropped).toBe(3000);
  });

  test('injection with the SSRC and the next sequence of the stream', () => {
    const phone = new Sender(NATTED);
    talk(10, phone);
    const attacker = new Sender(ATTACKER, phone.ssrc, phone.sequence);
    expect(talk(1000, attacker, phone)).toEqual([0, 1000]);
  });

  test('attacker first and fast: the signalled source takes the stream back, within the window and long after it', () => {
    for (const laterUs of [0, 20 * windowUs]) {
      open('learn-once');
      const attacker = new Sender(ATTACKER);
      for (let i = 0; i < 1000; i++) send(attacker);
      for (let until = nowUs + laterUs; nowUs < until;) talk(1, attacker);
      const [, accepted] = talk(100, attacker, new Sender(SIGNALLED));
      expect(accepted).toBe(laterUs === 0 ? 100 : 100 - packetsInOrder + 1);
      expect(talk(100, attacker, new Sender(SIGNALLED))).toEqual([0, 100]);
    }
  });

  test('attacker on the signalled host cannot keep the stream from the signalled port, nor take it', () => {
    const attacker = new Sender(SAME_HOST);
    const phone = new Sender(SIGNALLED);
    talk(20, attacker);
    expect(talk(1000, attacker, phone)).toEqual([1, 1000]);
  });

  test('attacker on the signalled host cannot take an established stream after the window', () => {
    const phone = new Sender(NATTED);
    talk(300, phone);
    expect(talk(1000, new Sender(SAME_HOST), phone)).toEqual([0, 1000]);
  });

  test('attacker first, phone behind a NAT: the phone is refused while the attacker talks, shows as a challenge, and gets in when it stops', () => {
    const attacker = new Sender(ATTACKER);
    const phone = new Sender(NATTED);
    talk(20, attacker);
    expect(talk(500, attacker, phone)[1]).toBe(0);
    expect(latch.challenges).toBe(1);
    const frames = silenceUs / FRAME_US;
    expect(talk(frames + 10, phone)[0]).toBeGreaterThan(0);
    expect(isCurrent(NATTED)).toBe(true);
  });

  test('... and by command', () => {
    const attacker = new Sender(ATTACKER);
    talk(20, attacker);
    latch.relearn(nowUs);
    expect(talk(100, new Sender(SIGNALLED), attacker)).toEqual([100, 0]);
  });

  test('an attacker needs silence and proof', () => {
    talk(300, new Sender(NATTED));
    const attacker = new Sender(ATTACKER);
    nowUs += silenceUs - 2 * FRAME_US;
    expect(talk(1, attacker)).toEqual([0]);
    nowUs += FRAME_US;
    expect(talk(packetsInOrder - 2, attacker)).toEqual([0]);
    expect(talk(1, attacker)).toEqual([1]);
  });

  test('what was taken in a silence goes back to the peer that had it for longer', () => {
    const phone = new Sender(NATTED);
    const attacker = new Sender(ATTACKER);
    talk(500, phone);
    talk(200, attacker);
    expect(isCurrent(ATTACKER)).toBe(true);
    expect(talk(1000, attacker, phone)).toEqual([packetsInOrder, 1000 - packetsInOrder + 1]);
  });

  test('a chain of attackers does not outdate the claim', () => {
    const phone = new Sender(NATTED);
    talk(500, phone);
    talk(110, new Sender(ATTACKER));
    talk(110, new Sender(ATTACKER_2));
    talk(110, new Sender(ATTACKER));
    const [accepted] = talk(100, phone, new Sender(ATTACKER_2));
    expect(accepted).toBe(100 - packetsInOrder + 1);
    nowUs += silenceUs / 2;
    expect(talk(500, new Sender(ATTACKER), phone)).toEqual([0, 500]);
  });

  test('a claim that was made good lasts for the next silence', () => {
    const phone = new Sender(NATTED);
    const attacker = new Sender(ATTACKER);
    talk(500, phone);
    talk(110, attacker);
    talk(20, phone);
    expect(isCurrent(NATTED)).toBe(true);
    talk(150, attacker);
    expect(isCurrent(ATTACKER)).toBe(true);
    expect(talk(100, phone, attacker)).toEqual([100 - packetsInOrder + 1, packetsInOrder - 1]);
  });

  test('an intruder displaced by the signalled source has no claim', () => {
    const attacker = new Sender(ATTACKER);
    talk(1000, attacker);
    nowUs += silenceUs;
    talk(20, new Sender(SIGNALLED));
    expect(isCurrent(SIGNALLED)).toBe(true);
    expect(talk(1000, attacker, new Sender(SIGNALLED))).toEqual([0, 1000]);
  });

  test('a peer that was told to be silent loses nothing', () => {
    const phone = new Sender(NATTED);
    const attacker = new Sender(ATTACKER);
    talk(300, phone);
    nowUs += 100 * silenceUs;
    latch.touch(nowUs);
    expect(talk(50, attacker, phone)).toEqual([0, 50]);
  });

  test('two attackers, one of them out of order and fast, do not keep a peer out whose NAT has bound anew', () => {
    talk(300, new Sender(NATTED, 77, 100));
    const moved = new Sender({ host: NATTED.host, port: 31_999 }, 77, 400);
    const flood = new Sender(ATTACKER);
    const orderly = new Sender(ATTACKER_2);
    for (let i = 0; i < 300 && !isCurrent(moved.from); i++) {
      nowUs += FRAME_US;
      for (let k = 0; k < 20; k++) {
        flood.sequence = (flood.sequence + 2 + (k % 3)) & 0xffff;
        send(flood);
      }
      send(orderly);
      send(moved);
    }
    expect(isCurrent(moved.from)).toBe(true);
    expect(talk(500, flood, orderly, moved)).toEqual([0, 0, 500]);
  });

  test('two sources that flap do not make the latch flap', () => {
    const one = new Sender(NATTED);
    const other = new Sender(ATTACKER);
    for (let i = 0; i < 50; i++) {
      talk(20, one);
      talk(20, other);
    }
    expect(latch.sourceChanges).toBe(1);
    expect(isCurrent(NATTED)).toBe(true);
  });
});

describe('roaming', () => {
  beforeEach(() => open('roaming'));

  test('follows a stream that goes on elsewhere, at once when proved', () => {
    const phone = new Sender(SIGNALLED);
    talk(100, phone);
    const moved = new Sender(NATTED, phone.ssrc, phone.sequence);
    expect(talk(50, moved)).toEqual([50 - packetsInOrder + 1]);
    expect(isCurrent(NATTED)).toBe(true);
  });

  test('stays with the faster path while a device sends on both', () => {
    const slow = new Sender(SIGNALLED, 77, 100);
    talk(100, slow);
    const fast = new Sender(NATTED, 77, slow.sequence);
    expect(talk(1000, fast, slow)).toEqual([1000 - packetsInOrder + 1, packetsInOrder - 1]);
    expect(latch.sourceChanges).toBe(2);
  });

  test('drops a stranger with an SSRC or a sequence of its own while the stream goes on', () => {
    const phone = new Sender(SIGNALLED);
    talk(10, phone);
    const strangers = [
      new Sender(ATTACKER),
      new Sender(ATTACKER_2, phone.ssrc, phone.sequence + 5000),
      new Sender({ host: 3, port: 3 }, phone.ssrc, phone.sequence - 2),
    ];
    expect(talk(1000, phone, ...strangers)).toEqual([1000, 0, 0, 0]);
  });

  test('drops a stranger that begins ahead of the stream and falls behind it', () => {
    const phone = new Sender(SIGNALLED);
    talk(10, phone);
    const stranger = new Sender(ATTACKER, phone.ssrc, phone.sequence + 3);
    for (let i = 0; i < 10; i++) expect([talk(1, stranger, phone), talk(1, phone)]).toEqual([[0, 1], [1]]);
  });

  test('the signalled address gets a stream back that was another one, but not one that has roamed', () => {
    const attacker = new Sender(ATTACKER);
    talk(500, attacker);
    const phone = new Sender(SIGNALLED);
    expect(talk(20, attacker, phone)).toEqual([packetsInOrder, 20 - packetsInOrder + 1]);
    const moved = new Sender(NATTED, phone.ssrc, phone.sequence);
    talk(20, moved);
    expect(talk(100, moved, new Sender(SIGNALLED, 5))).toEqual([100, 0]);
  });
});

test('RTCP: no sequence, slow reports, a source that stays is not displaced between its reports', () => {
  nowUs = 0;
  latch = new AddressLatch('learn-once', RTCP_LATCH_OPTIONS, nowUs);
  latch.setRemote(0, 0, 0xffff, SIGNALLED.host, SIGNALLED.port + 1, nowUs);
  const report = (from: Address) => latch.accept(0, 0, 0xffff, from.host, from.port, from.host, NO_SEQUENCE, nowUs);
  nowUs += 12e6;
  expect(report(NATTED)).toBe(drop);
  nowUs += 5e6;
  expect(report(NATTED)).toBe(moved);
  for (let i = 0; i < 20; i++) {
    nowUs += 3e6;
    for (let k = 0; k < 10; k++) expect(report(ATTACKER)).toBe(drop);
    nowUs += 3e6;
    expect(report(NATTED)).toBe(accept);
  }
});

test('changing the mode learns anew', () => {
  talk(10, new Sender(NATTED));
  latch.setMode('off', nowUs);
  expect(latch).toMatchObject({ heard: false, current: { w3: SIGNALLED.host, port: SIGNALLED.port } });
  expect(talk(5, new Sender(NATTED), new Sender(SIGNALLED))).toEqual([0, 5]);
});

test('a structured clone carries the state to another thread', () => {
  const phone = new Sender(NATTED);
  talk(300, phone);
  latch = Object.assign(new AddressLatch('off', RTP_LATCH_OPTIONS, 0), structuredClone(latch));
  expect(talk(200, new Sender(ATTACKER), phone)).toEqual([0, 200]);
});

describe('model: while the source that holds the stream talks, no stranger is ever accepted', () => {
  /** One step: who sends what in the 20 ms between two packets of the phone. */
  const attack = fc.record({
    attacker: fc.nat(3),
    ssrc: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: 3 })),
    /** Relative to the phone's sequence, to its own last one, or anything. */
    sequence: fc.oneof(
      fc.record({ to: fc.constant('own' as const), by: fc.constant(1) }),
      fc.record({ to: fc.constant('phone' as const), by: fc.integer({ min: -3, max: 3 }) }),
      fc.record({ to: fc.constant('any' as const), by: fc.nat(0xffff) }),
    ),
    burst: fc.integer({ min: 1, max: 8 }),
  });
  const attackers: Address[] = [ATTACKER, ATTACKER_2, { host: NATTED.host, port: 1 }, SAME_HOST];

  test.each([
    ['the signalled source, from the start', SIGNALLED, 0],
    ['the signalled source, after the window', SIGNALLED, windowUs],
    ['a source behind a NAT, after the window', NATTED, windowUs],
  ])('%s', (_, address, agoUs) => {
    fc.assert(
      fc.property(
        fc.array(fc.array(attack, { maxLength: 4 }), { minLength: 20, maxLength: 200 }),
        // Silence is measured to the millisecond.
        fc.integer({ min: FRAME_US, max: silenceUs - 1000 }),
        (steps, gapUs) => {
          open('learn-once');
          const phone = new Sender(address, 2, 65_500);
          talk(packetsInOrder, phone);
          for (let until = nowUs + agoUs; nowUs < until;) talk(1, phone);
          const own = attackers.map(() => 0);
          for (const step of steps) {
            nowUs += gapUs;
            for (const { attacker, ssrc, sequence, burst } of step) {
              for (let i = 0; i < burst; i++) {
                const base = { own: own[attacker], phone: phone.sequence, any: 0 }[sequence.to];
                own[attacker] = (base + sequence.by) & 0xffff;
                const { host, port } = attackers[attacker];
                const from = ssrc < 0 ? host : ssrc;
                expect(latch.accept(0, 0, 0xffff, host, port, from, own[attacker], nowUs)).toBe(drop);
              }
            }
            expect(send(phone)).toBe(accept);
          }
        },
      ),
    );
  });
});
