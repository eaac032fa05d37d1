import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ParseError } from './errors.ts';
import { OutboundStream } from './outbound-stream.ts';
import { EventChange, TelephoneEventReceiver } from './telephone-event-receiver.ts';
import { TelephoneEventSender } from './telephone-event-sender.ts';
import {
  parseTelephoneEvent,
  TelephoneEvent,
  telephoneEventCode,
  telephoneEventName,
  writeTelephoneEvent,
} from './telephone-event.ts';

const RATE = 8000;
const FRAME = 160;
const FRAME_US = 20_000;
const SSRC = 0x12345678;
const view = new DataView(new ArrayBuffer(64));

/** A packet of an event as it is on the wire, and when it arrives. */
interface Packet {
  readonly timestamp: number;
  readonly event: number;
  readonly end: boolean;
  readonly duration: number;
  readonly atUs: number;
}

/** A burst as reference D1 has it: 11 packets, then three with the end bit. */
function burst(digit: string, timestamp: number, startUs: number, frames = 12): Packet[] {
  return Array.from({ length: frames + 2 }, (_, i) => ({
    timestamp,
    event: telephoneEventCode(digit),
    end: i >= frames - 1,
    duration: Math.min(i + 1, frames) * FRAME,
    atUs: startUs + i * FRAME_US,
  }));
}

/** Feeds packets and the deadlines between them; returns what was reported: '+5' for a start, '-5 1920' for an end. */
function report(packets: Packet[], receiver = new TelephoneEventReceiver(RATE)): string[] {
  const log: string[] = [];
  const note = (change: number) => {
    // An end that comes with a start is of the event before, if that was another one; else of the same.
    const started = `+${telephoneEventName(receiver.event)}`;
    const ended = `-${telephoneEventName(receiver.endedEvent)} ${receiver.endedDuration}`;
    if (change === EventChange.started) log.push(started);
    if (change === EventChange.ended) log.push(ended);
    if (change === (EventChange.started | EventChange.ended)) log.push(`${started}&${ended}`);
  };
  for (const packet of packets) {
    if (receiver.nextDeadlineUs <= packet.atUs) note(receiver.onDeadline(receiver.nextDeadlineUs));
    writeTelephoneEvent(view, 0, packet.event, packet.end, 10, packet.duration);
    note(receiver.receive(view, 0, 4, SSRC, packet.timestamp, packet.atUs));
  }
  if (receiver.nextDeadlineUs !== Infinity) note(receiver.onDeadline(receiver.nextDeadlineUs));
  return log;
}

describe('payload', () => {
  // The first digit of 911 in the example of RFC 2833 3.10: event 9, end, volume 7, duration 1600.
  test('is read and written as in the RFC', () => {
    const into = new TelephoneEvent();
    expect(writeTelephoneEvent(view, 3, 9, true, 7, 1600)).toBe(4);
    expect(view.getUint32(3)).toBe(0x09870640);
    expect(parseTelephoneEvent(view, 3, 4, into)).toBe(ParseError.none);
    expect(into).toEqual({ event: 9, end: true, volume: 7, duration: 1600 });
    expect(parseTelephoneEvent(view, 3, 3, into)).toBe(ParseError.truncated);
  });

  test('events have names', () => {
    expect(Array.from({ length: 18 }, (_, code) => telephoneEventName(code))).toEqual([...'0123456789*#ABCDF', '']);
    expect([...'09*#AdF', '', 'E', 'x', '12'].map(telephoneEventCode)).toEqual([
      0, 9, 10, 11, 12, 15, 16, -1, -1, -1, -1,
    ]);
  });
});

describe('TelephoneEventReceiver', () => {
  test('a burst is one start and one end', () => {
    expect(report(burst('5', 1000, 0))).toEqual(['+5', '-5 1920']);
  });

  test('the start is told at the first packet', () => {
    expect(report(burst('5', 1000, 0).slice(0, 1))[0]).toBe('+5');
  });

  test('only end packets, or only one, are an event too', () => {
    expect(report(burst('7', 1000, 0).slice(11))).toEqual(['+7&-7 1920']);
    expect(report(burst('7', 1000, 0).slice(13))).toEqual(['+7&-7 1920']);
  });

  test('with all ends lost, the time-out ends it, and what comes later adds nothing', () => {
    expect(report(burst('7', 1000, 0).slice(0, 11))).toEqual(['+7', '-7 1760']);
    const late = burst('7', 1000, 0).map((packet, i) => (i > 5 ? { ...packet, atUs: packet.atUs + 500_000 } : packet));
    expect(report(late)).toEqual(['+7', '-7 960']);
  });

  test('with all ends lost, the same digit again with another timestamp counts again', () => {
    const first = burst('7', 1000, 0).slice(0, 11);
    expect(report([...first, ...burst('7', 1000 + 4000, 500_000)])).toEqual(['+7', '-7 1760', '+7', '-7 1920']);
    const close = burst('7', 1000 + 2240, 280_000);
    expect(report([...first, ...close])).toEqual(['+7', '+7&-7 1760', '-7 1920']);
  });

  test('of two events at once, each gets its end', () => {
    const first = burst('7', 1000, 0).slice(0, 11);
    const onlyEnd = burst('8', 3000, 0).slice(13);
    expect(report([...first, { ...onlyEnd[0], atUs: 250_000 }])).toEqual(['+7', '+8&-7 1760', '-8 1920']);
  });

  test('the timestamp wraps, between events and within one of several segments', () => {
    expect(report([...burst('1', -100, 0), ...burst('2', 4000, 400_000)])).toEqual(['+1', '-1 1920', '+2', '-2 1920']);
    const start = 0x7fffffff;
    const segments = [0, 1, 2].flatMap((n) =>
      [0x4000, 0xffff].map((duration, k) => ({
        timestamp: (start + n * 0xffff) | 0,
        event: 3,
        end: n === 2 && k === 1,
        duration,
        atUs: (n * 2 + k) * 100_000,
      })),
    );
    expect(report(segments)).toEqual(['+3', `-3 ${3 * 0xffff}`]);
  });

  test('a late packet of the event before is no event', () => {
    const first = burst('1', 1000, 0);
    const second = burst('1', 5000, 500_000);
    expect(
      report([...first.slice(0, 13), ...second.slice(0, 3), { ...first[13], atUs: 550_000 }, ...second.slice(3)]),
    ).toEqual(['+1', '-1 1920', '+1', '-1 1920']);
  });

  test('another source begins anew, even behind the timestamps of the one before', () => {
    const receiver = new TelephoneEventReceiver(RATE);
    report(burst('1', 5000, 0), receiver);
    writeTelephoneEvent(view, 0, 1, true, 10, 800);
    expect(receiver.receive(view, 0, 4, SSRC + 1, 1000, 1e6)).toBe(EventChange.started | EventChange.ended);
    expect(receiver.receive(view, 0, 4, SSRC + 1, 1000 - 100 * RATE, 2e6)).toBe(
      EventChange.started | EventChange.ended,
    );
    expect(receiver).toMatchObject({ events: 3, endedVolume: 10 });
  });

  test('what is no key of a telephone is counted and ignored', () => {
    const receiver = new TelephoneEventReceiver(RATE);
    writeTelephoneEvent(view, 0, 36, false, 10, 160);
    expect(receiver.receive(view, 0, 4, SSRC, 0, 0)).toBe(EventChange.none);
    expect(receiver.receive(view, 0, 3, SSRC, 0, 0)).toBe(EventChange.none);
    expect(receiver).toMatchObject({ events: 0, ignored: 2, nextDeadlineUs: Infinity });
  });

  test('any bursts, each with at least one packet left: one start and one end each, in order', () => {
    const lossy = fc.record({
      digit: fc.constantFrom(...'0123456789*#ABCD'),
      frames: fc.integer({ min: 2, max: 40 }),
      gap: fc.integer({ min: 2, max: 30 }),
      keep: fc.array(fc.boolean(), { minLength: 42, maxLength: 42 }),
      survivor: fc.nat(41),
    });
    fc.assert(
      fc.property(fc.array(lossy, { minLength: 1, maxLength: 12 }), fc.integer(), (bursts, base) => {
        let frame = 0;
        const packets = bursts.flatMap(({ digit, frames, gap, keep, survivor }) => {
          const all = burst(digit, (base + frame * FRAME) | 0, frame * FRAME_US, frames);
          frame += frames + 2 + gap;
          return all.filter((_, i) => keep[i] || i === survivor % all.length);
        });
        const log = report(packets).flatMap((entry) => entry.split('&'));
        const digits = bursts.map(({ digit }) => digit);
        const withSign = (sign: string) => log.filter((e) => e.startsWith(sign)).map((e) => e[1]);
        expect(withSign('+')).toEqual(digits);
        expect(withSign('-')).toEqual(digits);
      }),
    );
  });

  test('any bytes at any time: an end for every start', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.uint8Array({ maxLength: 8 }),
            fc.nat(3),
            fc.integer({ min: -200_000, max: 200_000 }),
            fc.nat(400_000),
          ),
        ),
        (packets) => {
          const receiver = new TelephoneEventReceiver(RATE);
          let nowUs = 0;
          let open = 0;
          const note = (change: number) => (open += (change & 1) - (change >> 1));
          for (const [bytes, ssrc, timestamp, gapUs] of packets) {
            nowUs += gapUs;
            note(receiver.onDeadline(nowUs));
            note(receiver.receive(new DataView(bytes.buffer), 0, bytes.length, ssrc, timestamp, nowUs));
            expect(open === 0 || open === 1).toBe(true);
            expect(receiver.nextDeadlineUs !== Infinity).toBe(open === 1);
          }
          note(receiver.onDeadline(nowUs + 1e6));
          expect(open).toBe(0);
        },
      ),
    );
  });
});

describe('TelephoneEventSender', () => {
  const job = (digits: string, digitMs = 240, gapMs = 200) => ({ id: 'dt_1', digits, digitMs, gapMs, volume: 13 });

  /** Runs it on a stream; one entry for each frame, '' where nothing is sent. */
  function run(sender: TelephoneEventSender): Packet[] {
    const stream = new OutboundStream(SSRC, 0, 0, RATE, FRAME, 0);
    const parsed = new TelephoneEvent();
    const packets: Packet[] = [];
    for (let frame = 1; sender.busy; frame++) {
      const length = sender.nextFrame(view, 8);
      if (length === 0) continue;
      if (sender.begins) stream.beginEvent(frame * FRAME_US);
      else stream.continueEvent(sender.timestampOffset);
      expect(stream.marker).toBe(sender.begins);
      parseTelephoneEvent(view, 8, length, parsed);
      expect(parsed.volume).toBe(13);
      packets.push({ ...parsed, timestamp: stream.timestamp, atUs: frame * FRAME_US });
    }
    return packets;
  }

  test('a digit of 240 ms is 14 packets: 160 to 1760, then three ends of 1920 (reference D1)', () => {
    const sender = new TelephoneEventSender(FRAME, 20);
    sender.send(job('9'));
    const packets = run(sender);
    expect(packets.map(({ duration }) => duration)).toEqual([
      ...Array.from({ length: 11 }, (_, i) => (i + 1) * 160),
      ...[1920, 1920, 1920],
    ]);
    expect(packets.map(({ end }) => end)).toEqual([...Array.from({ length: 11 }, () => false), true, true, true]);
    expect(new Set(packets.map(({ timestamp }) => timestamp)).size).toBe(1);
  });

  test.each([
    [100, 100],
    [40, 20],
    [45, 0],
    [240, 200],
  ])('digits of %i ms with gaps of %i ms keep their grid and are heard', (digitMs, gapMs) => {
    const sender = new TelephoneEventSender(FRAME, 20);
    sender.send(job('*9Fa9', digitMs, gapMs));
    const frames = Math.ceil(digitMs / 20);
    const gap = Math.max(2, Math.ceil(gapMs / 20));
    expect(sender.remainingMs).toBe((5 * frames + 4 * gap) * 20);
    const packets = run(sender);
    const starts = [...new Set(packets.map(({ timestamp }) => timestamp))];
    expect(starts).toEqual([0, 1, 2, 3, 4].map((i) => starts[0] + i * (frames + gap) * FRAME));
    expect(packets).toHaveLength(5 * (frames + 2));
    const heard = report(packets).flatMap((entry) => entry.split('&'));
    expect(heard).toEqual(['*', '9', 'F', 'A', '9'].flatMap((d) => [`+${d}`, `-${d} ${frames * FRAME}`]));
  });

  test('says when a digit and when a job is sent, and keeps the gap between jobs', () => {
    const sender = new TelephoneEventSender(FRAME, 20);
    const [first, second] = [job('12', 40, 40), { ...job('3', 40, 40), id: 'dt_2' }];
    sender.send(first);
    sender.send(second);
    const log: string[] = [];
    for (let frame = 0; sender.busy; frame++) {
      const length = sender.nextFrame(view, 0);
      if (length > 0 && sender.begins) log.push(`${frame} begin`);
      if (sender.sentDigit !== '') log.push(`${frame} ${sender.sentDigit}`);
      if (sender.finishedJob !== null) log.push(`${frame} ${sender.finishedJob.id}`);
    }
    expect(log).toEqual(['0 begin', '1 1', '4 begin', '5 2', '7 dt_1', '8 begin', '9 3', '11 dt_2']);
    expect(sender.nextFrame(view, 0)).toBe(0);
  });

  test('a digit of 5 s at 48 kHz is told in segments and heard as one', () => {
    const sender = new TelephoneEventSender(960, 20);
    sender.send(job('5', 5000));
    const stream = new OutboundStream(SSRC, 0, 0, 48_000, 960, 0);
    const receiver = new TelephoneEventReceiver(48_000);
    let changes = '';
    for (let frame = 0; sender.busy; frame++) {
      if (sender.nextFrame(view, 0) === 0) continue;
      if (sender.begins) stream.beginEvent(frame * FRAME_US);
      else stream.continueEvent(sender.timestampOffset);
      const change = receiver.receive(view, 0, 4, SSRC, stream.timestamp, frame * FRAME_US);
      if (change !== EventChange.none) changes += change;
    }
    expect(changes).toBe('12');
    expect(receiver.endedDuration).toBe(5 * 48_000);
  });

  test('cancel returns what was not finished', () => {
    const sender = new TelephoneEventSender(FRAME, 20);
    sender.send(job('12'));
    sender.nextFrame(view, 0);
    expect(sender.cancel()).toEqual([job('12')]);
    expect(sender).toMatchObject({ busy: false, remainingMs: 0 });
    sender.send(job('3', 40));
    sender.nextFrame(view, 0);
    expect(view.getUint8(0)).toBe(3);
  });
});
