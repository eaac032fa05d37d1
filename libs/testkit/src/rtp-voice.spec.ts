import { PCMU_SILENCE } from '@mediaplane/audio';
import { describe, expect, test } from '@jest/globals';
import { DigitEar } from './digit-ear.ts';
import type { RtpPacket } from './rtp-packet.ts';
import { RtpVoice } from './rtp-voice.ts';

function voice(): RtpVoice {
  const numbers = { ssrc: 7, sequenceNumber: 65_534, timestamp: 0xffffff60 };
  return new RtpVoice({ codec: 'PCMU', payloadType: 0, dtmfPayloadType: 101, ptimeMs: 20, ...numbers });
}

function ticks(speaker: RtpVoice, count: number): RtpPacket[] {
  return Array.from({ length: count }, () => speaker.tick()).flat();
}

describe('RtpVoice', () => {
  test('says silence when there is nothing to say, on lines that wrap', () => {
    const packets = ticks(voice(), 3);
    expect(packets.map(({ sequenceNumber }) => sequenceNumber)).toEqual([65_534, 65_535, 0]);
    expect(packets.map(({ timestamp }) => timestamp)).toEqual([0xffffff60, 0, 160]);
    expect(packets.map(({ marker }) => marker)).toEqual([true, false, false]);
    expect(
      packets.every(({ payload }) => payload.length === 160 && payload.every((byte) => byte === PCMU_SILENCE)),
    ).toBe(true);
  });

  test('plays one thing after the other across packet borders, and resolves when it is sent', async () => {
    const speaker = voice();
    const first = speaker.play(new Int16Array(200).fill(1000));
    const second = speaker.play(new Int16Array(40).fill(-1000));
    const payloads = ticks(speaker, 2).map(({ payload }) => payload);
    await Promise.all([first, second]);
    const [loud, low] = [payloads[0][0], payloads[1][40]];
    expect(Array.from(payloads[1])).toEqual([
      ...new Array<number>(40).fill(loud),
      ...new Array<number>(40).fill(low),
      ...new Array<number>(80).fill(PCMU_SILENCE),
    ]);
  });

  test('a loop goes on until it is silenced; an empty one is over at once', async () => {
    const speaker = voice();
    await Promise.all([speaker.play(new Int16Array(0), true), Promise.resolve(speaker.tick())]);
    const looping = speaker.play(new Int16Array(3).fill(1000), true);
    expect(ticks(speaker, 5).every(({ payload }) => payload.every((byte) => byte === payload[0]))).toBe(true);
    speaker.silence();
    await looping;
    expect(speaker.tick()[0].payload[0]).toBe(PCMU_SILENCE);
  });

  test('a digit is one event with a fixed timestamp, a rising duration and three ends; time runs on under it', async () => {
    const speaker = voice();
    const sent = speaker.sendDigits('9', { digitMs: 50, gapMs: 20, volume: 5 });
    const packets = ticks(speaker, 5);
    await sent;
    const digit = packets.filter(({ payloadType }) => payloadType === 101);
    expect(digit.map(({ payload }) => Array.from(payload))).toEqual([
      [9, 5, 0, 160],
      [9, 5, 320 >> 8, 320 & 0xff],
      ...new Array<number[]>(3).fill([9, 0x85, 480 >> 8, 480 & 0xff]),
    ]);
    expect(new Set(digit.map(({ timestamp }) => timestamp))).toEqual(new Set([0xffffff60]));
    expect(digit.map(({ marker }) => marker)).toEqual([true, false, false, false, false]);
    const audio = packets.filter(({ payloadType }) => payloadType === 0);
    expect(audio.map(({ timestamp }) => timestamp)).toEqual([320, 480]);
    expect(packets.map(({ sequenceNumber }) => sequenceNumber)).toEqual([65_534, 65_535, 0, 1, 2, 3, 4]);
  });

  test('whoever waits is let go at the end', async () => {
    const speaker = voice();
    const waiting = [speaker.play(new Int16Array(9), true), speaker.sendDigits('1')];
    speaker.end();
    await Promise.all(waiting);
    expect(speaker.tick()).toHaveLength(1);
  });
});

describe('DigitEar', () => {
  const event = (timestamp: number, ...payload: number[]): RtpPacket => ({
    payloadType: 101,
    marker: false,
    sequenceNumber: 0,
    timestamp,
    ssrc: 1,
    payload: Uint8Array.from(payload),
  });

  test('hears each digit once, the same one again at another timestamp, and knows which never ended', () => {
    const ear = new DigitEar();
    ear.hear(event(0, 11, 10, 0, 160), 1, 8000);
    for (const at of [2, 3, 4]) ear.hear(event(0, 11, 0x8a, 1, 0x40), at, 8000);
    ear.hear(event(8000, 11, 0x8a, 1, 0x40), 5, 8000);
    ear.hear(event(16000, 15, 10, 0, 160), 6, 8000);
    expect(ear.heard).toHaveLength(2);
    expect(ear.heard[0]).toEqual({
      digit: '#',
      durationMs: 40,
      volume: 10,
      packets: 4,
      endPackets: 3,
      hasMarker: false,
      firstUs: 1,
      lastUs: 4,
    });
    expect(ear.unfinished.map(({ digit }) => digit)).toEqual(['D']);
  });

  test('what is no digit is not heard', () => {
    const ear = new DigitEar();
    ear.hear(event(0, 16, 0x8a, 0, 160), 1, 8000);
    ear.hear(event(0, 1, 0x8a, 0), 1, 8000);
    expect([...ear.heard, ...ear.unfinished]).toEqual([]);
  });
});
