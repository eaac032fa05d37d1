import { PCMU_TO_PCMA } from '@mediaplane/audio';
import { beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { address, FRAME_US, MediaBench, settings } from '../../test/support/media-bench.ts';
import { Role, type Clip } from './contract.ts';

const S = 1_000_000;
let bench: MediaBench;

beforeEach(() => {
  bench = new MediaBench();
});

/** `count` packets, 20 ms apart. */
const talk = (sessionId: string, count: number, first = 1, extra: object = {}): void => {
  for (let i = first; i < first + count; i += 1) {
    bench.rtp(sessionId, { sequence: i, timestamp: i * 160, ...extra });
    bench.pass(FRAME_US);
  }
};

const clip = (milliseconds: number, level = 1000): Clip => {
  const samples = new SharedArrayBuffer(milliseconds * 16);
  new Int16Array(samples).fill(level);
  return { samples, startSample: 0, stopSample: milliseconds * 8, plays: 1 };
};

const steps = (values: number[], modulo: number): number[] =>
  values.slice(1).map((value, i) => (value - values[i] + modulo) % modulo);

describe('echo', () => {
  test('50 in, 50 out, on the own line, payload untouched, at once', () => {
    bench.open('a', { echo: true });
    talk('a', 50);
    const out = bench.rtpFrom('a');
    expect(out).toHaveLength(50);
    expect(new Set(out.map(({ ssrc }) => ssrc))).toEqual(new Set([0x1111_0000]));
    expect(
      steps(
        out.map(({ sequence }) => sequence),
        65_536,
      ).every((step) => step === 1),
    ).toBe(true);
    expect(
      steps(
        out.map(({ timestamp }) => timestamp),
        2 ** 32,
      ).every((step) => step === 160),
    ).toBe(true);
    expect(out.every(({ payload }) => payload.every((byte) => byte === 0x55))).toBe(true);
    expect(out.every(({ to }) => to.port === 4000)).toBe(true);
  });

  test('transcodes when what it hears is not what it sends', () => {
    bench.open('a', { echo: true });
    const payload = Uint8Array.from({ length: 160 }, (_, i) => i);
    bench.rtp('a', { payloadType: 8, payload });
    const [out] = bench.rtpFrom('a');
    expect(out.payloadType).toBe(0);
    expect(out.payload).not.toEqual(Buffer.from(payload));
  });

  test('a duplicate is passed on once, telephone events not at all', () => {
    bench.open('a', { echo: true });
    talk('a', 3);
    bench.rtp('a', { sequence: 3, timestamp: 480 });
    bench.rtp('a', { sequence: 4, timestamp: 640, payloadType: 101, payload: new Uint8Array([5, 0x8a, 3, 0x20]) });
    expect(bench.rtpFrom('a')).toHaveLength(3);
  });
});

describe('direction', () => {
  test.each([
    [{ sends: false }, 0, 0],
    [{ receives: false }, 0, 5],
  ])('%j', (direction, out, dropped) => {
    bench.open('a', { echo: true, ...direction });
    talk('a', 5);
    expect(bench.rtpFrom('a')).toHaveLength(out);
    expect(bench.command('a', 'statistics', null).received).toMatchObject({ packets: 5, droppedDirection: dropped });
  });
});

describe('bridge', () => {
  test('ends for the other side when one is lost: nothing more leaves by its socket', () => {
    const lost = bench.open('a');
    bench.open('b', { remoteRtp: address(2, 5000) });
    bench.command('a', 'bridge', { peerChannelId: 'b' });
    talk('b', 3, 1, { from: address(2, 5000) });
    expect(bench.rtpFrom('a')).toHaveLength(3);
    lost.lost();
    talk('b', 3, 4, { from: address(2, 5000) });
    expect(bench.rtpFrom('a')).toHaveLength(3);
    expect(bench.sessions.get('b')?.bridge).toBeNull();
  });

  test('relays both ways on each leg’s own line, bytes as they are where codecs agree', () => {
    bench.open('a');
    bench.open('b', { remoteRtp: address(2, 5000) });
    expect(bench.command('a', 'bridge', { peerChannelId: 'b' })).toEqual({ kind: 'relay' });
    talk('a', 10);
    talk('b', 10, 1, { from: address(2, 5000), ssrc: 0x77 });
    const toB = bench.rtpFrom('b');
    expect(toB).toHaveLength(10);
    expect(toB[0]).toMatchObject({ ssrc: 0x1111_0001, to: address(2, 5000), payloadType: 0 });
    expect(toB[0].payload.every((byte) => byte === 0x55)).toBe(true);
    expect(bench.rtpFrom('a')).toHaveLength(10);
  });

  test('transcodes PCMU to PCMA and back', () => {
    const pcma = { payloadType: 8, codec: 'PCMA', ptimeMs: 20 } as const;
    bench.open('a');
    bench.open('b', { remoteRtp: address(2, 5000), formats: { ...settings.formats, send: pcma, receive: [pcma] } });
    expect(bench.command('a', 'bridge', { peerChannelId: 'b' })).toEqual({ kind: 'transcode' });
    const payload = Uint8Array.from({ length: 160 }, (_, i) => i);
    bench.rtp('a', { payload });
    expect(bench.rtpFrom('b')[0]).toMatchObject({
      payloadType: 8,
      payload: Buffer.from(payload.map((byte) => PCMU_TO_PCMA[byte])),
    });
  });

  test('digits pass with the payload type of the other leg, and are reported', () => {
    bench.open('a');
    bench.open('b', { remoteRtp: address(2, 5000), formats: { ...settings.formats, sendDtmfPayloadType: 96 } });
    bench.command('a', 'bridge', { peerChannelId: 'b' });
    talk('a', 2);
    for (const [i, second] of [0x0a, 0x0a, 0x8a, 0x8a].entries()) {
      bench.rtp('a', {
        sequence: 3 + i,
        timestamp: 480,
        payloadType: 101,
        payload: new Uint8Array([9, second, 0, 160 + i]),
      });
    }
    expect(bench.rtpFrom('b').map(({ payloadType }) => payloadType)).toEqual([0, 0, 96, 96, 96, 96]);
    expect(bench.eventsOf('dtmf-received')).toMatchObject([{ digit: '9', volumeDbm0: -10, durationMs: 20 }]);
  });

  test('a gap and a reordering of the input go through', () => {
    bench.open('a');
    bench.open('b', { remoteRtp: address(2, 5000) });
    bench.command('a', 'bridge', { peerChannelId: 'b' });
    talk('a', 3);
    for (const i of [6, 5, 7]) bench.rtp('a', { sequence: i, timestamp: i * 160 });
    const sequences = bench.rtpFrom('b').map(({ sequence }) => (sequence + 65_536 - 65_530) % 65_536);
    const first = sequences[0];
    expect(sequences.map((sequence) => sequence - first)).toEqual([0, 1, 2, 5, 4, 6]);
  });

  test('ends on both sides, by command, by close and by another bridge', () => {
    for (const id of ['a', 'b', 'c']) bench.open(id);
    bench.command('a', 'bridge', { peerChannelId: 'b' });
    expect(bench.command('b', 'unbridge', null)).toEqual({ peerChannelId: 'a' });
    expect(bench.sessions.get('a')?.bridge).toBeNull();
    bench.command('a', 'bridge', { peerChannelId: 'b' });
    bench.command('b', 'bridge', { peerChannelId: 'c' });
    expect(bench.sessions.get('a')?.bridge).toBeNull();
    bench.sessions.get('c')?.close(null, bench.nowUs);
    expect(bench.sessions.get('b')?.bridge).toBeNull();
  });

  test('across instances: a private leg, from its exact address only', () => {
    const leg = address(9, 7000);
    bench.open('a');
    bench.command('a', 'bridgeLeg', { peerAddress: leg, peerFormats: settings.formats });
    bench.rtp('a', { payloadType: 8 });
    const [toLeg] = bench.sent.filter(({ role }) => role === Role.peerLeg);
    expect(toLeg.to).toEqual(leg);
    expect(toLeg.bytes[1]).toBe(8);
    const packet = Buffer.from(toLeg.bytes);
    bench.datagram('a', Role.peerLeg, packet, address(9, 7001));
    expect(bench.rtpFrom('a')).toHaveLength(0);
    bench.datagram('a', Role.peerLeg, packet, leg);
    expect(bench.rtpFrom('a')).toMatchObject([{ payloadType: 0, ssrc: 0x1111_0000, to: address(1, 4000) }]);
  });
});

describe('playback', () => {
  const play = (clips: Clip[], options: object = {}) =>
    bench.command('a', 'startPlayback', { playbackId: 'p', clips, plays: 1, interruptOnDtmf: false, ...options });

  test('a second of audio is 50 packets, 20 ms apart, the marker on the first, then it ends', () => {
    bench.open('a');
    play([clip(600), clip(400)]);
    bench.pass(2 * S);
    const out = bench.rtpFrom('a');
    expect(out).toHaveLength(50);
    expect(out.map(({ marker }) => marker).indexOf(true)).toBe(0);
    expect(out.filter(({ marker }) => marker)).toHaveLength(1);
    expect(
      steps(
        out.map(({ atUs }) => atUs),
        2 ** 40,
      ).every((step) => step === FRAME_US),
    ).toBe(true);
    expect(bench.eventsOf('playback-finished')).toMatchObject([{ end: 'completed', position: { positionMs: 1000 } }]);
    expect(bench.ports.get('a')?.frames).toBe(false);
  });

  test.each([10, 30, 40])('makes packets of %i ms', (ptimeMs) => {
    bench.open('a', { formats: { ...settings.formats, send: { payloadType: 0, codec: 'PCMU', ptimeMs } } });
    play([clip(1200)]);
    bench.pass(2 * S);
    const out = bench.rtpFrom('a');
    expect(out.map(({ payload }) => payload.length)).toEqual(out.map(() => ptimeMs * 8));
    expect(out).toHaveLength(1200 / ptimeMs);
    expect(
      steps(
        out.map(({ timestamp }) => timestamp),
        2 ** 32,
      ).every((step) => step === ptimeMs * 8),
    ).toBe(true);
  });

  test('takes the place of relayed audio, and gives it back with a timestamp gap of wall time', () => {
    bench.open('a', { echo: true });
    talk('a', 5);
    play([clip(200)]);
    talk('a', 30, 6);
    const out = bench.rtpFrom('a');
    expect(
      steps(
        out.map(({ sequence }) => sequence),
        65_536,
      ).every((step) => step === 1),
    ).toBe(true);
    const seconds = (out[out.length - 1].atUs - out[0].atUs) / S;
    expect((out[out.length - 1].timestamp - out[0].timestamp) / 8000).toBeCloseTo(seconds, 1);
    expect(out.length).toBeGreaterThanOrEqual(33);
  });

  test('pause holds the position and sends nothing', () => {
    bench.open('a');
    play([clip(1000)]);
    bench.pass(0.2 * S);
    expect(bench.command('a', 'pausePlayback', { playbackId: 'p' })).toMatchObject({ paused: true, positionMs: 200 });
    bench.pass(5 * S);
    expect(bench.rtpFrom('a')).toHaveLength(10);
    expect(bench.command('a', 'resumePlayback', { playbackId: 'p' })).toMatchObject({ paused: false, positionMs: 200 });
    bench.pass(2 * S);
    expect(bench.rtpFrom('a')).toHaveLength(50);
    expect(bench.command('a', 'pausePlayback', { playbackId: 'p' })).toBeNull();
  });

  test('another one replaces it; stop stops it; a digit interrupts it if wanted', () => {
    bench.open('a');
    play([clip(1000)]);
    play([clip(1000)], { playbackId: 'q' });
    bench.command('a', 'stopPlayback', { playbackId: 'q' });
    play([clip(1000)], { playbackId: 'r', interruptOnDtmf: true });
    bench.rtp('a', { payloadType: 101, payload: new Uint8Array([5, 0x0a, 0, 160]) });
    expect(bench.eventsOf('playback-finished').map(({ end, digit }) => [end, digit])).toEqual([
      ['replaced', ''],
      ['stopped', ''],
      ['interrupted-by-dtmf', '5'],
    ]);
  });
});

describe('digits out', () => {
  test('14 packets a digit, one timestamp, three ends, in the place of playback, which goes on afterwards', () => {
    bench.open('a');
    bench.command('a', 'startPlayback', { playbackId: 'p', clips: [clip(1000)], plays: 1, interruptOnDtmf: false });
    bench.pass(0.1 * S);
    const { durationMs } = bench.command('a', 'sendDtmf', {
      dtmfId: 'd',
      digits: '9F',
      digitMs: 240,
      gapMs: 200,
      volumeDbm0: -13,
    });
    expect(durationMs).toBe(2 * 240 + 200);
    bench.pass(4 * S);
    const out = bench.rtpFrom('a');
    const digits = out.filter(({ payloadType }) => payloadType === 101);
    expect(digits).toHaveLength(28);
    const nine = digits.slice(0, 14);
    expect(new Set(nine.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(nine.map(({ payload }) => payload.readUInt16BE(2)).slice(0, 3)).toEqual([160, 320, 480]);
    expect(nine.slice(-3).map(({ payload }) => [payload[1], payload.readUInt16BE(2)])).toEqual([
      [0x8d, 1920],
      [0x8d, 1920],
      [0x8d, 1920],
    ]);
    expect(nine.map(({ marker }) => marker).indexOf(true)).toBe(0);
    expect(out.filter(({ payloadType }) => payloadType === 0)).toHaveLength(50);
    expect(
      steps(
        out.map(({ sequence }) => sequence),
        65_536,
      ).every((step) => step === 1),
    ).toBe(true);
    expect(bench.eventsOf('dtmf-sent').map(({ digit }) => digit)).toEqual(['9', 'F']);
    expect(bench.eventsOf('dtmf-finished')).toMatchObject([{ dtmfId: 'd', digits: '9F', completed: true }]);
  });

  test('what was not sent is reported as aborted when the channel closes', () => {
    const session = bench.open('a');
    bench.command('a', 'sendDtmf', { dtmfId: 'd', digits: '123', digitMs: 100, gapMs: 100, volumeDbm0: -13 });
    bench.command('a', 'sendDtmf', { dtmfId: 'e', digits: '4', digitMs: 100, gapMs: 100, volumeDbm0: -13 });
    bench.pass(0.15 * S);
    session.close(null, bench.nowUs);
    expect(bench.eventsOf('dtmf-finished')).toMatchObject([
      { dtmfId: 'd', digits: '1', completed: false },
      { dtmfId: 'e', digits: '', completed: false },
    ]);
  });
});

describe('a changed remote', () => {
  test('taken away: nothing more is sent to it, RTP or RTCP, until it is known again', () => {
    bench.open('a', { echo: true });
    talk('a', 5);
    bench.command('a', 'update', { ...settings, echo: true, remoteRtp: null, remoteRtcp: null });
    const before = bench.sent.length;
    bench.command('a', 'startPlayback', { playbackId: 'p', clips: [clip(1000)], plays: 1, interruptOnDtmf: false });
    bench.pass(10 * S);
    expect(bench.sent.length).toBe(before);
    bench.command('a', 'update', {
      ...settings,
      echo: true,
      remoteRtp: address(3, 6000),
      remoteRtcp: address(3, 6001),
    });
    talk('a', 3, 100, { from: address(3, 6000), ssrc: 0x99 });
    expect(
      bench
        .rtpFrom('a')
        .slice(-3)
        .map(({ to }) => to.port),
    ).toEqual([6000, 6000, 6000]);
  });

  test('digits under way end when their format is taken away', () => {
    bench.open('a');
    bench.command('a', 'sendDtmf', { dtmfId: 'd', digits: '12', digitMs: 100, gapMs: 100, volumeDbm0: -13 });
    bench.pass(0.06 * S);
    bench.command('a', 'update', { ...settings, formats: { ...settings.formats, sendDtmfPayloadType: -1 } });
    bench.pass(1 * S);
    expect(bench.eventsOf('dtmf-finished')).toMatchObject([{ dtmfId: 'd', completed: false }]);
    expect(new Set(bench.rtpFrom('a').map(({ payloadType }) => payloadType))).toEqual(new Set([101]));
  });
});

describe('sources', () => {
  test('a stranger neither speaks into a call nor hears it', () => {
    bench.open('a', { echo: true });
    talk('a', 10);
    const before = bench.rtpFrom('a').length;
    for (let i = 0; i < 100; i += 1) {
      bench.rtp('a', { from: address(66, 666), ssrc: 0xbad, sequence: 900 + i, timestamp: i * 160 });
      bench.rtp('a', { sequence: 11 + i, timestamp: (11 + i) * 160 });
      bench.pass(FRAME_US);
    }
    const out = bench.rtpFrom('a').slice(before);
    expect(out).toHaveLength(100);
    expect(out.every(({ to }) => to.port === 4000)).toBe(true);
    expect(bench.command('a', 'statistics', null).received.droppedSource).toBe(100);
  });

  test('a peer behind a NAT is learned and told of', () => {
    bench.open('a', { echo: true });
    talk('a', 3, 1, { from: address(7, 12345) });
    expect(bench.rtpFrom('a').every(({ to }) => to.port === 12345)).toBe(true);
    expect(bench.eventsOf('remote-source-changed')).toMatchObject([
      { flow: 'rtp', previous: address(1, 4000), current: address(7, 12345) },
    ]);
    expect(bench.command('a', 'latch', null)).toMatchObject({ rtpSource: address(7, 12345) });
  });

  test('a payload type that was not negotiated keeps a call alive and wins nobody a place', () => {
    bench.open('a', { echo: true });
    for (let i = 0; i < 8; i += 1) bench.rtp('a', { from: address(66, 1), sequence: i, payloadType: 77 });
    expect(bench.command('a', 'latch', null).rtpSource).toBeNull();
    talk('a', 2);
    talk('a', 3, 3, { payloadType: 13 });
    talk('a', 2, 6);
    expect(bench.rtpFrom('a')).toHaveLength(4);
    expect(bench.command('a', 'statistics', null).received).toMatchObject({
      packets: 7,
      lost: 0,
      droppedPayloadType: 11,
    });
  });

  test('any bytes on any port: counted, never thrown, never answered', () => {
    const junk = fc.uint8Array({ maxLength: 200 });
    fc.assert(
      fc.property(fc.array(fc.tuple(junk, fc.constantFrom(0, 1, 2)), { maxLength: 20 }), (datagrams) => {
        bench = new MediaBench();
        bench.open('a');
        for (const [bytes, role] of datagrams) bench.datagram('a', role, bytes, address(3, 3333));
        expect(bench.sent).toEqual([]);
      }),
    );
  });
});

describe('RTCP', () => {
  test('reports within six seconds, sender reports once it sends, and says goodbye', () => {
    const session = bench.open('a', { echo: true });
    bench.pass(7 * S);
    talk('a', 350);
    session.close(null, bench.nowUs);
    const reports = bench.sent.filter(({ role }) => role === Role.rtcp);
    expect(reports.length).toBeGreaterThanOrEqual(4);
    expect(reports[0].bytes[1]).toBe(201);
    expect(reports.at(-1)?.bytes[1]).toBe(200);
    expect(reports.at(-1)?.bytes.at(-7)).toBe(203);
    expect(reports.every(({ to }) => to.port === 4001)).toBe(true);
  });

  test('a report about our stream gives loss, jitter and round trip', () => {
    const session = bench.open('a', { echo: true });
    talk('a', 200);
    const sr = bench.sent.find(({ role, bytes }) => role === Role.rtcp && bytes[1] === 200);
    if (!sr) throw new Error('no sender report');
    bench.pass(0.05 * S);
    const rr = Buffer.alloc(32);
    rr.writeUInt32BE(0x81c90007, 0);
    rr.writeUInt32BE(0xabcd, 4);
    rr.writeUInt32BE(session.identity.ssrc, 8);
    rr.writeUInt32BE((64 << 24) | 12, 12);
    rr.writeUInt32BE(80, 20);
    sr.bytes.copy(rr, 24, 10, 14);
    const sinceMs = (bench.nowUs - sr.atUs) / 1000;
    rr.writeUInt32BE(Math.round(((sinceMs - 50) * 65_536) / 1000), 28);
    bench.datagram('a', Role.rtcp, rr, address(1, 4001));
    const { sent, rtcp } = bench.command('a', 'statistics', null);
    expect(sent.remote).toMatchObject({ lost: 12, lostRatio: 0.25, jitterMs: 10 });
    expect(rtcp.roundTripMs).toBeCloseTo(50, 0);
  });
});

describe('silence', () => {
  test('media-started, media-idle, media-started again, and the timeout', () => {
    bench.open('a');
    bench.pass(4 * S);
    talk('a', 3);
    bench.pass(6 * S);
    talk('a', 1, 300);
    bench.pass(30 * S);
    expect(bench.events.filter(({ type }) => type.startsWith('media') || type === 'idle-timeout')).toMatchObject([
      { type: 'media-started', ssrc: 0xabcd, payloadType: 0 },
      { type: 'media-idle' },
      { type: 'media-started' },
      { type: 'media-idle' },
      { type: 'idle-timeout', rule: 'rtp' },
    ]);
  });
});

describe('a move to another thread', () => {
  test('keeps the line, the statistics, the latch, the playback and the digits', () => {
    bench.open('a', { echo: true });
    talk('a', 10);
    bench.command('a', 'startPlayback', { playbackId: 'p', clips: [clip(1000)], plays: 1, interruptOnDtmf: false });
    bench.pass(0.5 * S);
    bench.command('a', 'sendDtmf', { dtmfId: 'd', digits: '12', digitMs: 100, gapMs: 100, volumeDbm0: -13 });
    bench.pass(0.15 * S);
    bench.move('a');
    bench.pass(3 * S);
    talk('a', 10, 11);
    const out = bench.rtpFrom('a');
    expect(
      steps(
        out.map(({ sequence }) => sequence),
        65_536,
      ).every((step) => step === 1),
    ).toBe(true);
    expect(out.filter(({ payloadType }) => payloadType === 101)).toHaveLength(14);
    expect(out.filter(({ payloadType }) => payloadType === 0)).toHaveLength(70);
    expect(bench.eventsOf('dtmf-finished')).toMatchObject([{ digits: '12', completed: true }]);
    const { received } = bench.command('a', 'statistics', null);
    expect(received).toMatchObject({ packets: 20, lost: 0, ssrcChanges: 0 });
    bench.rtp('a', { from: address(66, 1), ssrc: 5, sequence: 1 });
    expect(bench.command('a', 'statistics', null).received.droppedSource).toBe(1);
  });
});
