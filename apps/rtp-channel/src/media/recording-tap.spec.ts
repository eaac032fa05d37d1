import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { RecordingTap } from './recording-tap.ts';

const FRAME = 160;
const FRAME_US = 20_000;
const START_US = 5_000_000;

const settings = {
  recordingId: 'rec_1',
  stereo: false,
  takesReceived: true,
  takesSent: true,
  maxDurationMs: 0,
  paused: false,
};

class Tape {
  readonly samples: number[] = [];
  readonly chunks: number[] = [];
  readonly tap: RecordingTap;
  nowUs = START_US;

  constructor(options: Partial<typeof settings> = {}) {
    this.tap = RecordingTap.start({ ...settings, ...options }, START_US, (audio) => {
      const chunk = new Int16Array(audio);
      this.chunks.push(chunk.length);
      this.samples.push(...chunk);
    });
  }

  /** One packet of constant level. */
  receive(level: number, timestamp: number): void {
    this.tap.received(new Int16Array(FRAME).fill(level), FRAME, timestamp, this.nowUs);
  }

  send(level: number, timestamp: number): void {
    this.tap.sent(new Int16Array(FRAME).fill(level), FRAME, timestamp, this.nowUs);
  }

  tick(frames = 1): ReturnType<RecordingTap['onFrame']> {
    let end: ReturnType<RecordingTap['onFrame']> = null;
    for (let i = 0; i < frames; i += 1) {
      this.nowUs += FRAME_US;
      end ??= this.tap.onFrame(this.nowUs);
    }
    return end;
  }

  finish(): number[] {
    this.tap.finish(this.nowUs);
    return this.samples;
  }
}

/** Level of each 20 ms frame; NaN where it is not constant. */
const levels = (samples: readonly number[]): number[] =>
  Array.from({ length: Math.floor(samples.length / FRAME) }, (_, i) => {
    const frame = samples.slice(i * FRAME, (i + 1) * FRAME);
    return frame.every((sample) => sample === frame[0]) ? frame[0] : NaN;
  });

describe('RecordingTap', () => {
  test('is as long as the wall clock says, silence where nothing arrived', () => {
    const tape = new Tape();
    tape.receive(5, 1000);
    tape.tick(10);
    expect(levels(tape.finish())).toEqual([5, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('puts reordered and jittered packets where their timestamps say', () => {
    const tape = new Tape();
    tape.receive(1, 0);
    tape.tick(3);
    tape.receive(3, 2 * FRAME);
    tape.receive(2, FRAME);
    tape.tick();
    expect(levels(tape.finish())).toEqual([1, 2, 3, 0]);
  });

  test('a burst after a stall of the sender keeps its order and place', () => {
    const tape = new Tape();
    for (let i = 0; i < 5; i += 1) {
      tape.receive(i + 1, i * FRAME);
      tape.tick();
    }
    tape.tick(5);
    for (let i = 5; i < 10; i += 1) tape.receive(i + 1, i * FRAME);
    expect(levels(tape.finish())).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('sums both directions in mono, saturated; keeps them apart in stereo', () => {
    const mono = new Tape();
    mono.receive(30_000, 0);
    mono.send(30_000, 77);
    mono.tick();
    expect(levels(mono.finish())).toEqual([32767]);
    const stereo = new Tape({ stereo: true });
    stereo.receive(1, 0);
    stereo.send(-2, 77);
    stereo.tick();
    expect(stereo.finish()).toEqual(Array.from({ length: FRAME }, () => [1, -2]).flat());
  });

  test('a timestamp jump places the stream at the clock again', () => {
    const tape = new Tape();
    tape.receive(1, 0);
    tape.tick();
    tape.receive(2, 0x7000_0000);
    tape.tick();
    tape.receive(3, 0x7000_0000 + FRAME);
    tape.tick();
    expect(levels(tape.finish())).toEqual([1, 2, 3]);
  });

  test('timestamps wrap', () => {
    const tape = new Tape();
    for (let i = 0; i < 4; i += 1) {
      tape.receive(i + 1, (0xffff_ffff - FRAME + i * FRAME) | 0);
      tape.tick();
    }
    expect(levels(tape.finish())).toEqual([1, 2, 3, 4]);
  });

  test('a pause leaves no gap', () => {
    const tape = new Tape();
    tape.receive(1, 0);
    tape.tick();
    tape.tap.pause(tape.nowUs);
    tape.receive(9, FRAME);
    tape.tick(50);
    tape.tap.resume(tape.nowUs);
    tape.receive(2, 51 * FRAME);
    tape.tick();
    expect(levels(tape.finish())).toEqual([1, 2]);
  });

  test('ends at its maximum duration, to the sample', () => {
    const tape = new Tape({ maxDurationMs: 300 });
    expect(tape.tick(24)).toBeNull();
    expect(tape.tick(1)).toBe('max-duration');
    expect(tape.finish()).toHaveLength(2400);
  });

  test('hands audio out in quarter seconds, at most half a second behind the clock', () => {
    const tape = new Tape();
    tape.tick(100);
    expect(tape.chunks.every((samples) => samples === 2000)).toBe(true);
    expect(16_000 - tape.samples.length).toBeLessThanOrEqual(0.5 * 8000);
  });

  test('drops and counts a straggler; the stream stays in place', () => {
    const tape = new Tape();
    for (let i = 0; i < 15; i += 1) {
      if (i !== 5) tape.receive(i + 1, i * FRAME);
      tape.tick();
    }
    tape.receive(6, 5 * FRAME);
    tape.receive(16, 15 * FRAME);
    tape.tick();
    expect(tape.tap.state.late).toBe(1);
    expect(levels(tape.finish())).toEqual([1, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
  });

  test('follows a stream whose timestamps went back for good', () => {
    const tape = new Tape();
    tape.receive(1, 0x1000_0000);
    tape.tick();
    for (let i = 0; i < 4; i += 1) {
      tape.receive(i + 2, i * FRAME);
      tape.tick();
    }
    expect(levels(tape.finish())).toEqual([1, 0, 0, 4, 5]);
  });

  test('goes on from its state on another thread without losing a sample', () => {
    const whole: number[] = [];
    const first = new Tape();
    first.receive(1, 0);
    first.tick();
    const state = structuredClone(first.tap.snapshot());
    whole.push(...first.samples);
    const second = RecordingTap.start(settings, START_US, () => undefined);
    expect(second.paused).toBe(false);
    const moved = new RecordingTap(state, (audio) => whole.push(...new Int16Array(audio)));
    moved.received(new Int16Array(FRAME).fill(2), FRAME, FRAME, first.nowUs);
    moved.finish(first.nowUs + FRAME_US);
    expect(levels(whole)).toEqual([1, 2]);
  });

  test('whatever arrives whenever, the length is the clock and nothing throws', () => {
    const packet = fc.record({ timestamp: fc.integer(), gapUs: fc.nat(400_000), count: fc.nat(1984) });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 30 }), (packets) => {
        let length = 0;
        const tap = RecordingTap.start(settings, START_US, (audio) => (length += audio.byteLength / 2));
        let nowUs = START_US;
        for (const { timestamp, gapUs, count } of packets) {
          nowUs += gapUs;
          tap.received(new Int16Array(2000), count, timestamp, nowUs);
          tap.onFrame(nowUs);
        }
        tap.finish(nowUs);
        expect(length).toBe(Math.floor((nowUs - START_US) * 0.008));
      }),
    );
  });
});
