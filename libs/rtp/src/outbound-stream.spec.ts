import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { OutboundStream } from './outbound-stream.ts';
import { sequenceDelta } from './sequence-number.ts';

const RATE = 8000;
const FRAME = 160;
const MS = 1000;
const FRAME_US = 20 * MS;
const START_US = 1e9;
const units = (us: number) => (us * RATE) / 1e6;

let stream = open();
let nowUs = START_US;

function open(firstSequence = 65_530, firstTimestamp = 0x7fffff00): OutboundStream {
  return new OutboundStream(0xcafebabe, firstSequence, firstTimestamp, RATE, FRAME, START_US);
}

beforeEach(() => {
  stream = open();
  nowUs = START_US;
});

/** A sender of 20 ms frames whose timestamp follows the wall clock. */
class Source {
  ssrc: number;
  sequence: number;
  base: number;
  constructor(ssrc: number, sequence: number, base: number) {
    this.ssrc = ssrc;
    this.sequence = sequence;
    this.base = base;
  }
  timestampAt(us: number): number {
    return (this.base + units(us - START_US)) | 0;
  }
  relay(marker = false): boolean {
    const sequence = this.sequence;
    this.sequence = (this.sequence + 1) & 0xffff;
    return stream.relay(this.ssrc, sequence, this.timestampAt(nowUs), marker, nowUs);
  }
}

/** Sends `count` packets 20 ms apart and returns [sequence step, timestamp step, marker] of each. */
function steps(count: number, send: () => void): [number, number, boolean][] {
  return Array.from({ length: count }, () => {
    const { sequence, timestamp } = stream;
    nowUs += FRAME_US;
    send();
    return [sequenceDelta(stream.sequence, sequence), (stream.timestamp - timestamp) | 0, stream.marker];
  });
}
const SPURT = [1, FRAME, true];
const NEXT = [1, FRAME, false];

describe('relay', () => {
  test('begins at the first sequence, one frame on, with a marker, and keeps the step of the input over wraps', () => {
    const source = new Source(1, 65_000, -500);
    expect(steps(4, () => source.relay())).toEqual([SPURT, NEXT, NEXT, NEXT]);
    expect(stream.sequence).toBe((65_530 + 3) & 0xffff);
    const odd = steps(70_000, () => source.relay()).filter((step) => step.some((value, i) => value !== NEXT[i]));
    expect(odd).toEqual([]);
  });

  test('lets gaps, reordering, duplicates and markers of the input through', () => {
    const order = [10, 11, 14, 13, 12, 14, 15];
    const out = order.map((n) => {
      expect(stream.relay(1, n, n * FRAME, n === 14, START_US + FRAME_US * n)).toBe(true);
      return [stream.sequence, (stream.timestamp - n * FRAME) | 0, stream.marker];
    });
    const offset = out[0][1];
    expect(out).toEqual(order.map((n, i) => [(65_530 + n - 10) & 0xffff, offset, i === 0 || n === 14]));
  });

  test('another SSRC goes on by one, by the wall time that has passed', () => {
    steps(10, () => new Source(1, 5, 0).relay());
    nowUs += 300 * MS;
    const other = new Source(2, 40_000, 0x5555);
    expect(steps(2, () => other.relay())).toEqual([[1, units(320 * MS), true], NEXT]);
  });

  test('a restart of the sender: the first packet is dropped as a stray, the second anchors', () => {
    const source = new Source(1, 5, 0);
    steps(10, () => source.relay());
    source.sequence = 30_000;
    source.base = 99;
    expect(source.relay()).toBe(false);
    expect(steps(2, () => source.relay())).toEqual([SPURT, NEXT]);
  });

  test.each([
    ['far ahead', 20_000],
    ['far behind', -200],
  ])('a stray packet %s does not move the line', (_, by) => {
    const source = new Source(1, 1000, 0);
    steps(10, () => source.relay());
    expect(stream.relay(1, source.sequence + by, 12_345, false, nowUs)).toBe(false);
    expect(steps(2, () => source.relay())).toEqual([NEXT, NEXT]);
  });

  test('a late packet is not anchored, and is dropped when its place was before the anchor', () => {
    stream.relay(1, 100, 0, false, nowUs);
    stream.generate((nowUs += FRAME_US));
    stream.relay(1, 102, 2 * FRAME, false, (nowUs += FRAME_US));
    expect(stream.relay(1, 101, FRAME, false, nowUs)).toBe(false);
    expect(stream.relay(1, 103, 3 * FRAME, false, (nowUs += FRAME_US))).toBe(true);
    expect(stream.sequence).toBe((65_530 + 3) & 0xffff);
  });

  test('a jump of the input timestamp is not passed on', () => {
    const source = new Source(1, 5, 0);
    steps(10, () => source.relay());
    source.base += 1_000_000;
    expect(steps(2, () => source.relay())).toEqual([SPURT, NEXT]);
    source.base -= 2_000_000;
    expect(steps(2, () => source.relay())).toEqual([SPURT, NEXT]);
  });

  test('a sender whose timestamp stood still through a pause gets the wall time', () => {
    const source = new Source(1, 5, 0);
    steps(10, () => source.relay());
    nowUs += 60_000 * MS;
    source.base -= units(60_000 * MS);
    expect(steps(2, () => source.relay())).toEqual([[1, units(60_020 * MS), true], NEXT]);
  });

  test('silence suppression and a stall of the network go through as they are', () => {
    const source = new Source(1, 5, 0);
    steps(10, () => source.relay());
    nowUs += 5000 * MS;
    expect(steps(1, () => source.relay(true))).toEqual([[1, units(5020 * MS), true]]);
    const burst = [0, 1, 2].map((n) => {
      const { timestamp } = stream;
      stream.relay(1, 16 + n, source.timestampAt(nowUs + (n + 1) * FRAME_US), false, nowUs + 2000 * MS);
      return (stream.timestamp - timestamp) | 0;
    });
    expect(burst).toEqual([FRAME, FRAME, FRAME]);
  });

  test('an hour of clock drift of 200 ppm is no jump', () => {
    const markers: number[] = [];
    for (let i = 0; i < 180_000; i++) {
      stream.relay(1, i & 0xffff, (i * FRAME) | 0, false, START_US + i * FRAME_US * 1.0002);
      if (stream.marker) markers.push(i);
    }
    expect(markers).toEqual([0]);
  });

  test('a relayed event of 8 s does not break the line', () => {
    const source = new Source(1, 5, 0);
    steps(10, () => source.relay());
    const began = source.timestampAt(nowUs + FRAME_US);
    const { timestamp } = stream;
    for (let i = 0; i < 400; i++) stream.relay(1, 15 + i, began, i === 0, (nowUs += FRAME_US));
    expect((stream.timestamp - timestamp) | 0).toBe(FRAME);
    source.sequence = 415;
    expect(steps(2, () => source.relay())).toEqual([[1, 400 * FRAME, false], NEXT]);
  });
});

test('a switch behind a relayed event counts its time from the start of the event', () => {
  const source = new Source(1, 5, 0);
  steps(3, () => source.relay());
  const began = source.timestampAt(nowUs + FRAME_US);
  for (let i = 0; i < 14; i++) stream.relay(1, 8 + i, began, false, (nowUs += FRAME_US));
  expect(steps(1, () => stream.generate(nowUs))).toEqual([[1, 14 * FRAME, true]]);
});

describe('generate', () => {
  test('steps by a frame; a late or early tick changes nothing, a pause leaves its time empty and begins a spurt', () => {
    expect(steps(3, () => stream.generate(nowUs))).toEqual([SPURT, NEXT, NEXT]);
    expect(steps(1, () => stream.generate(nowUs + 15 * MS))).toEqual([NEXT]);
    expect(steps(1, () => stream.generate(nowUs - 15 * MS))).toEqual([NEXT]);
    nowUs += 500 * MS;
    expect(steps(2, () => stream.generate(nowUs))).toEqual([[1, units(520 * MS), true], NEXT]);
  });

  test('a new packet time begins a spurt', () => {
    steps(3, () => stream.generate(nowUs));
    stream.setFrameUnits(FRAME);
    expect(steps(1, () => stream.generate(nowUs))).toEqual([NEXT]);
    stream.setFrameUnits(80);
    expect(steps(1, () => stream.generate(nowUs))).toEqual([SPURT]);
    nowUs -= 10 * MS;
    expect(steps(1, () => stream.generate(nowUs))).toEqual([[1, 80, false]]);
  });

  test('relay, playback, relay: no gap in sequence, wall time in timestamps', () => {
    const source = new Source(1, 5, 12_345);
    expect(steps(3, () => source.relay())).toEqual([SPURT, NEXT, NEXT]);
    expect(steps(50, () => stream.generate(nowUs))).toEqual([SPURT, ...Array.from({ length: 49 }, () => NEXT)]);
    source.sequence += 50;
    expect(steps(3, () => source.relay())).toEqual([SPURT, NEXT, NEXT]);
    expect((stream.timestamp - 0x7fffff00) | 0).toBe(units(nowUs - START_US));
  });

  test('a switch within a frame steps by a frame, and the lead does not add up', () => {
    const source = new Source(1, 5, 0);
    for (let i = 0; i < 500; i++) {
      steps(1, () => source.relay());
      nowUs += 3 * MS;
      stream.generate(nowUs);
      nowUs -= 3 * MS;
      nowUs += 20 * MS;
    }
    expect(Math.abs((stream.timestamp - 0x7fffff00 - units(nowUs - START_US)) | 0)).toBeLessThanOrEqual(2 * FRAME);
  });
});

describe('events', () => {
  function event(frames: number): [number, number, boolean][] {
    return [...steps(1, () => stream.beginEvent(nowUs)), ...steps(frames - 1, () => stream.continueEvent(0))];
  }
  const SAME = [1, 0, false];

  test('in place of a relayed stream: constant timestamp, and the stream goes on where its own timestamp is', () => {
    const source = new Source(1, 5, 0);
    steps(3, () => source.relay());
    expect(event(14)).toEqual([SPURT, ...Array.from({ length: 13 }, () => SAME)]);
    source.sequence += 14;
    expect(steps(2, () => source.relay())).toEqual([[1, 14 * FRAME, false], NEXT]);
  });

  test('beside a relayed stream: the sequences interlock, the timestamps are each their own', () => {
    const source = new Source(1, 5, 0);
    steps(3, () => source.relay());
    const seen: number[] = [];
    for (let i = 0; i < 14; i++) {
      nowUs += FRAME_US;
      expect(source.relay()).toBe(true);
      expect((stream.timestamp - 0x7fffff00) | 0).toBe(units(nowUs - START_US));
      seen.push(stream.sequence);
      if (i === 0) stream.beginEvent(nowUs);
      else stream.continueEvent(0);
      seen.push(stream.sequence);
    }
    expect(seen).toEqual(Array.from({ length: 28 }, (_, i) => (65_530 + 3 + i) & 0xffff));
    expect(stream.relay(1, source.sequence - 1, source.timestampAt(nowUs), false, nowUs)).toBe(false);
  });

  test('in place of playback, which goes on at its place in time', () => {
    steps(3, () => stream.generate(nowUs));
    expect(event(14)).toEqual([SPURT, ...Array.from({ length: 13 }, () => SAME)]);
    expect(steps(2, () => stream.generate(nowUs))).toEqual([[1, 14 * FRAME, true], NEXT]);
  });

  test('a long one moves its timestamp with its segments', () => {
    steps(1, () => stream.beginEvent(nowUs));
    const began = stream.timestamp;
    stream.continueEvent(0xffff);
    expect((stream.timestamp - began) | 0).toBe(0xffff);
  });
});

test('a silence in which the timestamp wraps is followed by the wall time', () => {
  steps(3, () => stream.generate(nowUs));
  const before = stream.timestamp;
  const silenceUs = 100 * 3600 * 1e6;
  nowUs += silenceUs;
  const source = new Source(1, 5, 0);
  expect(source.relay()).toBe(true);
  expect(Math.abs((stream.timestamp - (before + units(silenceUs))) | 0)).toBeLessThan(2 * FRAME);
  expect(steps(2, () => source.relay())).toEqual([NEXT, NEXT]);
});

test('the timestamp of a sender report is that of the media at the time', () => {
  const source = new Source(1, 5, 777);
  steps(10, () => source.relay());
  expect(stream.rtpTimestampAt(nowUs)).toBe(stream.timestamp);
  expect((stream.rtpTimestampAt(nowUs + 5 * MS) - stream.timestamp) | 0).toBe(40);
  stream.countSent(160, nowUs);
  expect(stream).toMatchObject({ packetsSent: 1, octetsSent: 160 });
  expect(stream.lastSentUs(nowUs + 7 * MS)).toBe(nowUs);
});

test('any mix of writers: each packet that is no late one has the next sequence and no earlier timestamp', () => {
  const action = fc.record({
    what: fc.constantFrom('a', 'b', 'generate', 'begin', 'continue', 'restart', 'jump'),
    gapUs: fc.integer({ min: 0, max: 100 * MS }),
    times: fc.integer({ min: 1, max: 20 }),
  });
  fc.assert(
    fc.property(fc.nat(0xffff), fc.array(action, { maxLength: 60 }), (first, actions) => {
      stream = open(first, first * 65_537);
      nowUs = START_US;
      const sources = { a: new Source(1, first, 3), b: new Source(2, 9, -7) };
      let expected = first;
      let audioTimestamp = stream.timestamp;
      let inEvent = false;
      for (const { what, gapUs, times } of actions) {
        for (let i = 0; i < times; i++) {
          nowUs += gapUs;
          if (what === 'restart') {
            sources.a.sequence = (sources.a.sequence + 10_000) & 0xffff;
            break;
          }
          if (what === 'jump') {
            sources.b.base += 500_000;
            break;
          }
          if (what === 'begin' || (what === 'continue' && !inEvent)) stream.beginEvent(nowUs);
          else if (what === 'continue') stream.continueEvent(0);
          else if (what === 'generate') stream.generate(nowUs);
          else if (!sources[what].relay()) continue;
          inEvent ||= what === 'begin' || what === 'continue';
          expect(stream.sequence).toBe(expected);
          expected = (expected + 1) & 0xffff;
          if (what === 'a' || what === 'b' || what === 'generate') {
            expect((stream.timestamp - audioTimestamp) | 0).toBeGreaterThanOrEqual(0);
            audioTimestamp = stream.timestamp;
          }
        }
      }
    }),
    { numRuns: 500 },
  );
});
