import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  EXTENDED_KEEPALIVE_BYTES,
  LinkTelemetry,
  TIMED_KEEPALIVE_BYTES,
  keepaliveTimeMs,
  readTelemetry,
  writeExtendedKeepalive,
  writeTimedKeepalive,
} from './keepalive.ts';
import { ACK_BYTES, ACK_SEQUENCES, AckBatch, ackCount, ackSequence } from './srtla-ack.ts';
import {
  GROUP_ID_BYTES,
  REGISTRATION_BYTES,
  SrtlaType,
  isSrtla,
  isWholeRegistration,
  padReply,
  srtlaType,
  writeRegistration,
  writeReply,
} from './srtla-packet.ts';

/** Packets do not begin where the memory does. */
const AT = 24;

function memory(bytes: readonly number[] = []) {
  const all = new Uint8Array(512).fill(0xee);
  all.set(bytes, AT);
  return { all, view: new DataView(all.buffer), sent: (length: number) => [...all.subarray(AT, AT + length)] };
}

describe('types', () => {
  test.each(Object.values(SrtlaType))('%p is SRTLA, however short', (type) => {
    const { view } = memory([type >> 8, type & 0xff]);
    expect(isSrtla(view, AT, 2)).toBe(true);
    expect(srtlaType(view, AT)).toBe(type);
  });

  test('types that nobody knows are SRTLA too, so that they never reach an encoder', () => {
    expect(isSrtla(memory([0x9f, 0xff]).view, AT, 2)).toBe(true);
    expect(isSrtla(memory([0x93, 0x00]).view, AT, 2)).toBe(true);
  });

  test('SRT is not: data, and its control types; nor is a single byte', () => {
    for (const first of [0x00, 0x10, 0x7f, 0x80, 0xff]) expect(isSrtla(memory([first, 0x02]).view, AT, 16)).toBe(false);
    expect(isSrtla(memory([0x90]).view, AT, 1)).toBe(false);
    expect(isSrtla(memory().view, AT, 0)).toBe(false);
  });
});

describe('registration', () => {
  test('REG1 and REG2 are their type and 256 bytes', () => {
    const id = Uint8Array.from({ length: GROUP_ID_BYTES }, (_, i) => i);
    const { all, sent } = memory();
    expect(writeRegistration(all, AT, SrtlaType.reg2, id)).toBe(258);
    expect(sent(REGISTRATION_BYTES + 1)).toEqual([0x92, 0x01, ...id, 0xee]);
    expect(() => writeRegistration(all, AT, SrtlaType.reg1, id.subarray(1))).toThrow(RangeError);
  });

  test('only 258 bytes are a whole one', () => {
    expect([2, 257, 258, 259].map(isWholeRegistration)).toEqual([false, false, true, false]);
  });
});

describe('replies', () => {
  test('are two bytes, or 32 with zeros', () => {
    const { all, sent } = memory();
    expect(writeReply(all, AT, SrtlaType.reg3, false)).toBe(2);
    expect(sent(3)).toEqual([0x92, 0x02, 0xee]);
    expect(writeReply(all, AT, SrtlaType.regNoGroup, true)).toBe(32);
    expect(sent(33)).toEqual([0x92, 0x11, ...new Array<number>(30).fill(0), 0xee]);
  });

  test('what is long enough is left as it is', () => {
    const { all, sent } = memory();
    expect(padReply(all, AT, 38)).toBe(38);
    expect(sent(38)).toEqual(new Array<number>(38).fill(0xee));
  });
});

describe('ACK', () => {
  test('ten sequence numbers make a packet of 44 bytes', () => {
    const batch = new AckBatch();
    const { view, sent } = memory();
    const sequences = [5, 6, 0x7fffffff, 0, 1, 2, 3, 4, 0x40000000, 9];
    expect(sequences.map((sequence) => batch.add(sequence)).indexOf(true)).toBe(9);
    expect(batch.write(view, AT)).toBe(44);
    expect(sent(16)).toEqual([0x91, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6, 0x7f, 0xff, 0xff, 0xff]);
    expect(ackCount(ACK_BYTES)).toBe(ACK_SEQUENCES);
    expect(sequences.map((_, i) => ackSequence(view, AT, i))).toEqual(sequences);
    expect(batch.add(1)).toBe(false);
  });

  test('any number is read, and half a word is none', () => {
    expect([0, 2, 4, 7, 8, 46, 1500].map(ackCount)).toEqual([0, 0, 0, 0, 1, 10, 374]);
  });
});

describe('keepalive', () => {
  test('a timed one has its time in eight bytes', () => {
    const { view, sent } = memory();
    const nowMs = 0x1_0000_0005;
    expect(writeTimedKeepalive(view, AT, nowMs)).toBe(10);
    expect(sent(11)).toEqual([0x90, 0, 0, 0, 0, 1, 0, 0, 0, 5, 0xee]);
    expect(keepaliveTimeMs(view, AT, TIMED_KEEPALIVE_BYTES)).toBe(nowMs);
  });

  test('one without a time, or padded with zeros, is no sample', () => {
    expect(keepaliveTimeMs(memory([0x90, 0]).view, AT, 2)).toBe(0);
    expect(keepaliveTimeMs(memory([0x90, 0, ...new Array<number>(30).fill(0)]).view, AT, 32)).toBe(0);
  });

  test('telemetry is where senders put it', () => {
    // Type, time 1, magic, version, connection 7, window 20000, 12 in flight, 45 ms, 3 NAKs, 125000 bytes/s.
    const golden = [
      ...[0x90, 0x00, 0, 0, 0, 0, 0, 0, 0, 1, 0xc0, 0x1f, 0x00, 0x01, 0, 0, 0, 7, 0, 0, 0x4e, 0x20],
      ...[0, 0, 0, 12, 0, 0, 0, 45, 0, 0, 0, 3, 0, 0x01, 0xe8, 0x48],
    ];
    const telemetry = new LinkTelemetry();
    const { view } = memory(golden);
    expect(readTelemetry(view, AT, golden.length, telemetry)).toBe(true);
    expect({ ...telemetry }).toEqual({
      connectionId: 7,
      window: 20_000,
      inFlightPackets: 12,
      smoothedRttMs: 45,
      naks: 3,
      bytesPerSecond: 125_000,
    });
    const written = memory();
    expect(writeExtendedKeepalive(written.view, AT, 1, telemetry)).toBe(EXTENDED_KEEPALIVE_BYTES);
    expect(written.sent(EXTENDED_KEEPALIVE_BYTES + 1)).toEqual([...golden, 0xee]);
    expect(readTelemetry(view, AT, 60, telemetry)).toBe(true);
  });

  test.each([
    ['one byte too short', 37, 0xc0, 1],
    ['of another magic', 38, 0xc1, 1],
    ['of another version', 38, 0xc0, 2],
  ])('%s it is a plain one', (_, length, magic, version) => {
    const { all, view } = memory();
    const telemetry = new LinkTelemetry();
    writeExtendedKeepalive(view, AT, 1, telemetry);
    all[AT + 10] = magic;
    all[AT + 13] = version;
    expect(readTelemetry(view, AT, length, telemetry)).toBe(false);
  });
});

test('nothing is read behind a datagram, and nothing throws', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (datagram) => {
      // Memory ends with the datagram: a read behind it would throw.
      const bytes = new Uint8Array([...new Array<number>(AT).fill(0), ...datagram]);
      const view = new DataView(bytes.buffer);
      const { length } = datagram;
      if (isSrtla(view, AT, length)) expect(srtlaType(view, AT) >> 12).toBe(9);
      for (let i = 0; i < ackCount(length); i += 1) {
        expect(ackSequence(view, AT, i)).toBeLessThan(2 ** 31);
      }
      expect(keepaliveTimeMs(view, AT, length)).toBeGreaterThanOrEqual(0);
      readTelemetry(view, AT, length, new LinkTelemetry());
    }),
  );
});
