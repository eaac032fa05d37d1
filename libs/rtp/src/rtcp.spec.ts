import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ParseError } from './errors.ts';
import { NO_ROUND_TRIP, ntpFraction, ntpInterval, ntpMiddle, ntpSeconds, roundTripUs } from './ntp.ts';
import { OutboundStream } from './outbound-stream.ts';
import { rtcpIntervalUs } from './rtcp-interval.ts';
import { MAX_RTCP_BYTES, RtcpSession } from './rtcp-session.ts';
import { writeBye, writeReport, writeSdesCname } from './rtcp-writer.ts';
import { ReportBlock, RtcpCursor, RtcpType, SdesType } from './rtcp.ts';
import { RtpSourceStatistics } from './source-statistics.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** All that a cursor can read, as plain data: reads everything, so that a read out of range throws. */
function walk(bytes: Uint8Array) {
  const cursor = new RtcpCursor();
  const view = viewOf(bytes);
  const text = () => new TextDecoder().decode(bytes.subarray(cursor.textOffset, cursor.textOffset + cursor.textLength));
  const error = cursor.begin(view, 0, bytes.length);
  const packets = [];
  while (cursor.next()) {
    const { type, count, bodyOffset, bodyLength } = cursor;
    expect(bodyOffset + bodyLength).toBeLessThanOrEqual(bytes.length);
    expect(bodyLength).toBeGreaterThanOrEqual(0);
    const reports = type === RtcpType.senderReport || type === RtcpType.receiverReport ? count : 0;
    const blocks = Array.from({ length: reports }, (_, i) => {
      const block = new ReportBlock();
      cursor.reportBlock(i, block);
      return block;
    });
    const items: string[] = [];
    if (type === RtcpType.sourceDescription) {
      while (cursor.nextSdesItem()) items.push(`${(cursor.sdesSsrc >>> 0).toString(16)} ${cursor.sdesType} ${text()}`);
    }
    const sources = Array.from({ length: type === RtcpType.bye ? count : 0 }, (_, i) => cursor.byeSource(i) >>> 0);
    const reason = type === RtcpType.bye && cursor.byeReason() ? text() : null;
    const name = type === RtcpType.app ? cursor.appName() : null;
    packets.push({ type, count, ssrc: cursor.ssrc >>> 0, blocks, items, sources, reason, name, bodyLength });
  }
  return { error, packets, cursor };
}

// The receiver report and the goodbye of pion/rtcp's TestUnmarshal (a capture of a browser), with its SDES between them.
const RR = '81c90007 902f9e2e bc5e9a40 00000000 000046e1 00000111 09f36432 00024a79';
const SDES =
  '81ca000c 902f9e2e 0126 7b39633030656239322d316166622d396434392d613437642d3931663634656565363966357d 00000000';
const BYE = '81cb0001 902f9e2e';

describe('RtcpCursor', () => {
  test('walks a compound packet of a browser', () => {
    const { error, packets } = walk(bytesOf(RR + SDES + BYE));
    expect(error).toBe(ParseError.none);
    expect(packets.map(({ type }) => type)).toEqual([201, 202, 203]);
    expect(packets[0]).toMatchObject({ ssrc: 0x902f9e2e, count: 1 });
    expect(packets[0].blocks[0]).toEqual({
      ssrc: 0xbc5e9a40 | 0,
      fractionLost: 0,
      cumulativeLost: 0,
      extendedSequence: 0x46e1,
      jitter: 273,
      lastSenderReport: 0x09f36432,
      delaySinceLastSenderReport: 150_137,
    });
    expect(packets[1].items).toEqual(['902f9e2e 1 {9c00eb92-1afb-9d49-a47d-91f64eee69f5}']);
    expect(packets[2]).toMatchObject({ sources: [0x902f9e2e], reason: null });
  });

  test('reads a sender report, an APP, a reason and several chunks', () => {
    const sr = '80c80006 00000001 e1e2e3e4 80000000 fffffff0 00000010 00000a00';
    const sdes = '82ca0005 0000000a 0101 61 00 0000000b 0602 6162 0201 63 00';
    const app = '85cc0003 00000001 6d706c6e 01020304';
    const bye = '82cb0004 00000001 00000002 05 6c65617665 0000';
    const { error, packets, cursor } = walk(bytesOf(sr + sdes + app + bye));
    expect(error).toBe(ParseError.none);
    expect(cursor).toMatchObject({ ntpFraction: -0x80000000, rtpTimestamp: -16, packetCount: 16, octetCount: 2560 });
    expect(packets[1].items).toEqual(['a 1 a', 'b 6 ab', 'b 2 c']);
    expect(packets[2]).toMatchObject({ count: 5, name: 0x6d706c6e, bodyLength: 8 });
    expect(packets[3]).toMatchObject({ sources: [1, 2], reason: 'leave' });
  });

  test('takes the padding off the last packet', () => {
    const { error, packets } = walk(bytesOf(RR + 'a1cb0002 902f9e2e 00000004'));
    expect(error).toBe(ParseError.none);
    expect(packets[1]).toMatchObject({ sources: [0x902f9e2e], reason: null, bodyLength: 4 });
  });

  test.each([
    ['a short one', '80c90000', ParseError.truncated],
    ['version 1', '40c90001 00000001', ParseError.version],
    ['one that begins with BYE', BYE, ParseError.packetType],
    ['a packet that is no RTCP', RR + '80000001 00000000', ParseError.packetType],
    ['a length past the end', '80c90002 00000001', ParseError.length],
    ['three bytes too many', RR + '81cb00', ParseError.length],
    ['a count past the packet', '81c90001 00000001', ParseError.length],
    ['a sender report without sender info', '80c80001 00000001', ParseError.length],
    ['a BYE with too few sources', RR + '82cb0001 00000001', ParseError.length],
    ['padding before the end', 'a0c90002 00000001 00000004' + BYE, ParseError.padding],
    ['padding of 0', 'a0c90002 00000001 00000000', ParseError.padding],
    ['padding over the count', 'a1c90001 00000008', ParseError.padding],
  ])('refuses %s', (_, hex, error) => {
    expect(walk(bytesOf(hex))).toMatchObject({ error, packets: [] });
  });

  test('reads nothing outside the packet, whatever the bytes', () => {
    // Mostly well-formed headers, so that the walk gets past the first check.
    const packet = fc
      .tuple(fc.nat(255), fc.constantFrom(200, 201, 202, 203, 204, 205, 7), fc.nat(9), fc.uint8Array({ maxLength: 40 }))
      .map(([first, type, words, body]) => [0x80 | (first & 0x3f), type, 0, words, ...body.slice(0, words * 4)]);
    const compound = fc.array(packet, { maxLength: 4 }).map((packets) => Uint8Array.from(packets.flat()));
    fc.assert(
      fc.property(fc.oneof(compound, fc.uint8Array({ maxLength: 80 })), (bytes) => {
        const { error, packets } = walk(bytes);
        expect(error === ParseError.none).toBe(packets.length > 0);
      }),
      { numRuns: 3000 },
    );
  });
});

test('what is written is read back', () => {
  const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });
  const block = fc.record({
    ssrc: int32,
    fractionLost: fc.nat(255),
    cumulativeLost: fc.integer({ min: -0x800000, max: 0x7fffff }),
    extendedSequence: int32,
    jitter: int32,
    lastSenderReport: int32,
    delaySinceLastSenderReport: int32,
  });
  const sender = fc.record({
    ntpSeconds: int32,
    ntpFraction: int32,
    rtpTimestamp: int32,
    packetCount: int32,
    octetCount: int32,
  });
  const text = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom(...'abcdefgh@.1') });
  fc.assert(
    fc.property(
      int32,
      fc.option(sender),
      fc.option(block),
      text,
      fc.option(text),
      (ssrc, info, report, cname, reason) => {
        const bytes = new Uint8Array(MAX_RTCP_BYTES);
        const view = viewOf(bytes);
        let length = writeReport(view, 0, ssrc, info, report);
        length += writeSdesCname(view, length, ssrc, utf8(cname));
        length += writeBye(view, length, ssrc, utf8(reason ?? ''));
        const { error, packets, cursor } = walk(bytes.subarray(0, length));
        expect(error).toBe(ParseError.none);
        expect(packets.map(({ type }) => type)).toEqual([info === null ? 201 : 200, 202, 203]);
        expect(packets[0].blocks).toEqual(report === null ? [] : [report]);
        if (info !== null) expect(cursor).toMatchObject(info);
        expect(packets[1].items).toEqual([`${(ssrc >>> 0).toString(16)} ${SdesType.cname} ${cname}`]);
        expect(packets[2]).toMatchObject({ sources: [ssrc >>> 0], reason });
      },
    ),
  );
});

test('cumulative loss saturates at 24 bits', () => {
  const bytes = new Uint8Array(32);
  const block = Object.assign(new ReportBlock(), { cumulativeLost: 1e9, fractionLost: 255 });
  writeReport(viewOf(bytes), 0, 1, null, block);
  expect(walk(bytes).packets[0].blocks[0]).toMatchObject({ cumulativeLost: 0x7fffff, fractionLost: 255 });
});

describe('NTP', () => {
  test('counts from 1900, and over the wrap of 2036', () => {
    expect(ntpSeconds(0) >>> 0).toBe(2_208_988_800);
    // RFC 5905 figure 4: first day of UNIX and first day of era 1.
    expect(ntpSeconds(Date.UTC(2036, 1, 7, 6, 28, 16) * 1000)).toBe(0);
    expect(ntpFraction(1_500_000) >>> 0).toBe(0x80000000);
    expect(ntpFraction(1.7e15 + 999_999) >>> 0).toBe(Math.floor(0.999999 * 2 ** 32));
  });

  test('round trip as in the example of RFC 3550 figure 2', () => {
    // SR sent at 0xb44db705.20000000, DLSR 5.250 s, report received at 0xb710:8000.
    const lsr = ntpMiddle(0xb44db705, 0x20000000);
    expect(lsr >>> 0).toBe(0xb7052000);
    expect(ntpInterval(5_250_000)).toBe(0x00054000);
    expect(roundTripUs(0xb7108000, lsr, 0x00054000)).toBe(6_125_000);
  });

  test('no round trip without a sender report, or from nonsense', () => {
    expect(roundTripUs(5, 0, 0)).toBe(NO_ROUND_TRIP);
    expect(roundTripUs(0x7fffffff, 1, 0)).toBe(NO_ROUND_TRIP);
    expect(roundTripUs(1, 1, 0x7fffffff)).toBe(NO_ROUND_TRIP);
    expect(roundTripUs(10, 5, 6)).toBe(0);
  });
});

test('the interval is 2.05 to 6.16 s, half of that at first', () => {
  expect(rtcpIntervalUs(false, 0) / 1e6).toBeCloseTo(2.052, 3);
  expect(rtcpIntervalUs(false, 1) / 1e6).toBeCloseTo(6.156, 3);
  expect(rtcpIntervalUs(true, 0.5)).toBe(rtcpIntervalUs(false, 0.5) / 2);
});

describe('RtcpSession', () => {
  const UNIX_OFFSET_US = 1.7e15;
  function party(ssrc: number) {
    const outbound = new OutboundStream(ssrc, 1, 1, 8000, 160, 0);
    const inbound = new RtpSourceStatistics(8000);
    return { outbound, inbound, rtcp: new RtcpSession(`${ssrc}@host`, UNIX_OFFSET_US, 0, 0.5) };
  }
  const bytes = new Uint8Array(MAX_RTCP_BYTES);
  const view = viewOf(bytes);

  test('two parties learn loss, jitter and round trip of each other', () => {
    const [a, b] = [party(1), party(2)];
    for (let i = 0; i < 100; i++) {
      a.outbound.generate(i * 20_000);
      a.outbound.countSent(160, i * 20_000);
      if (i % 4 !== 3) b.inbound.update(1, a.outbound.sequence, a.outbound.timestamp, 160, i * 20_000 + (i % 2) * 5000);
    }
    const oneWayUs = 40_000;
    let length = a.rtcp.writeReport(view, 0, a.outbound, a.inbound, 2e6, 0.5);
    expect(walk(bytes.slice(0, length)).packets.map(({ type, count }) => [type, count])).toEqual([
      [RtcpType.senderReport, 0],
      [RtcpType.sourceDescription, 1],
    ]);
    expect(b.rtcp.receive(view, 0, length, b.outbound.ssrc, 2e6 + oneWayUs)).toBe(ParseError.none);
    expect(b.rtcp).toMatchObject({ received: 1, remoteReports: 0, roundTripUs: NO_ROUND_TRIP });

    length = b.rtcp.writeReport(view, 0, b.outbound, b.inbound, 3e6, 0.5);
    expect(walk(bytes.slice(0, length)).packets[0]).toMatchObject({ type: RtcpType.receiverReport, count: 1 });
    a.rtcp.receive(view, 0, length, a.outbound.ssrc, 3e6 + oneWayUs);
    expect(a.rtcp).toMatchObject({ remoteReports: 1, remoteCumulativeLost: 24 });
    expect(a.rtcp.remoteLossRatio).toBeCloseTo(24 / 99, 1);
    expect(a.rtcp.remoteJitter).toBe(b.inbound.jitter);
    expect(Math.abs(a.rtcp.roundTripUs - 2 * oneWayUs)).toBeLessThan(50);

    // Nothing sent since: a receiver report, without a block, as nothing was received either.
    length = a.rtcp.writeReport(view, 0, a.outbound, a.inbound, 7e6, 0.5);
    expect(walk(bytes.slice(0, length)).packets[0]).toMatchObject({ type: RtcpType.receiverReport, count: 0 });
    expect(a.rtcp.sent).toBe(2);
  });

  test('is due at random times, first after half the interval, and never after BYE', () => {
    const a = party(1);
    expect(a.rtcp.nextDeadlineUs).toBe(rtcpIntervalUs(true, 0.5));
    a.rtcp.writeReport(view, 0, a.outbound, a.inbound, 1e6, 0.25);
    expect(a.rtcp.nextDeadlineUs).toBe(1e6 + rtcpIntervalUs(false, 0.25));
    const length = a.rtcp.writeBye(view, 0, a.outbound, a.inbound, 2e6, utf8('x'.repeat(255)));
    expect(length).toBeLessThanOrEqual(MAX_RTCP_BYTES);
    expect(a.rtcp.nextDeadlineUs).toBe(Infinity);
    const b = party(2);
    b.rtcp.receive(view, 0, length, 2, 3e6);
    expect(b.rtcp.byeReceived).toBe(true);
  });

  test('a report on another stream, and a malformed one, change nothing', () => {
    const b = party(2);
    const length = writeReport(view, 0, 1, null, Object.assign(new ReportBlock(), { ssrc: 3, fractionLost: 9 }));
    b.rtcp.receive(view, 0, length, 2, 0);
    expect(b.rtcp.receive(view, 0, length - 1, 2, 0)).toBe(ParseError.length);
    expect(b.rtcp).toMatchObject({ remoteReports: 0, remoteLossRatio: 0, received: 1, malformed: 1 });
  });
});
