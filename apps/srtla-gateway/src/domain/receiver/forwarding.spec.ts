import { describe, expect, test } from '@jest/globals';
import { ACK_BYTES, ackSequence } from '@mediaplane/srtla';
import { Bench, SECOND } from './spec-bench.ts';
import {
  KEEPALIVE,
  REG3,
  SERVER_SOCKET,
  control,
  cookieAnswer,
  data,
  idOf,
  reg2,
  srtAck,
  srtNak,
  srtShutdown,
} from './spec-packets.ts';

const ENCODER = 77;
const OTHER = 78;
const namesOf = (sent: readonly { to: string }[]): string[] => sent.map(({ to }) => to);

describe('SRT of links', () => {
  test('goes to the group’s server as it is, from whatever link it came by', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1, 2);
    bench.accepted(8, OTHER, 3);
    bench.from(1, data(5));
    bench.from(2, data(6));
    bench.from(3, data(7));
    bench.from(2, control(6, SERVER_SOCKET, 0));
    expect(bench.toServer.map(({ group }) => group)).toEqual([0, 0, 1, 0]);
    expect(bench.toServer[1].bytes).toEqual([...data(6)]);
  });

  test('every tenth data packet of a link is acknowledged on that link, accepted or not', () => {
    const bench = new Bench();
    bench.register(9, 1, 2);
    const answers = Array.from({ length: 25 }, (_, i) => [...bench.from(1, data(i)), ...bench.from(2, data(100 + i))]);
    expect(answers.flatMap((sent, i) => (sent.length > 0 ? [i] : []))).toEqual([9, 19]);
    expect(answers[9].map(({ to, bytes }) => [to, bytes.length])).toEqual([
      ['1:5000', ACK_BYTES],
      ['2:5000', ACK_BYTES],
    ]);
    const view = new DataView(Uint8Array.from(answers[19][1].bytes).buffer);
    expect(Array.from({ length: 10 }, (_, i) => ackSequence(view, 0, i))).toEqual([
      110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
    ]);
  });

  test('passes across the wrap of the sequence, and from a lower one when the encoder starts again', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    const before = 2 ** 31 - 2000;
    const across = Array.from({ length: 4000 }, (_, i) => (before + i) % 2 ** 31);
    const acks = across.flatMap((sequence) => bench.from(1, data(sequence)));
    expect(bench.takeToServer().map((bytes) => new DataView(Uint8Array.from(bytes).buffer).getUint32(0))).toEqual(
      across,
    );
    const view = new DataView(Uint8Array.from(acks[200].bytes).buffer);
    expect(ackSequence(view, 0, 0)).toBe(0);
    expect(acks.length).toBe(400);
    bench.shakeHands(group, 1, OTHER);
    bench.from(1, data(3));
    expect(bench.takeToServer()).toEqual([[...data(3)]]);
  });

  test('control packets are not acknowledged', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    for (let i = 0; i < 20; i += 1) expect(bench.from(1, srtAck(SERVER_SOCKET))).toEqual([]);
  });

  test('of a stranger, or too short, is dropped and counted', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    bench.from(2, data(1));
    bench.from(1, data(1), 5001);
    bench.from(1, [1, 2, 3]);
    bench.from(1, control(2, SERVER_SOCKET));
    expect(bench.takeToServer()).toEqual([]);
    expect(bench.receiver.counters).toMatchObject({ strangers: 2, malformed: 2 });
  });

  test('is counted, by group and link', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1, 2);
    const [packets, bytes] = [group.tally.packets, group.tally.bytes];
    bench.from(1, data(1));
    bench.from(2, data(1, { again: true }));
    bench.from(2, data(2, { to: OTHER }));
    expect(group.tally).toMatchObject({
      packets: packets + 3,
      bytes: bytes + 3 * 1332,
      retransmitted: 1,
      notAccepted: 1,
    });
    expect(group.links[1]).toMatchObject({ packets: 2, bytes: 2 * 1332 });
  });

  test('the jitter of a link is that of first transmissions', () => {
    const bench = new Bench();
    const [one, two] = bench.accepted(9, ENCODER, 1, 2).links;
    for (let i = 0; i < 400; i += 1) {
      const late = i % 2 === 0 ? 0 : 1600;
      bench.nowUs += 1000;
      bench.from(1, data(i, { timestampUs: i * 1000 }));
      bench.from(2, data(i, { timestampUs: i * 1000 + late }));
      bench.from(1, data(i, { timestampUs: Math.max(0, i * 1000 - 900_000), again: true }));
    }
    expect([one.jitter.us, Math.round(two.jitter.us)]).toEqual([0, 1600]);
  });
});

describe('SRT of the server', () => {
  test('a NAK goes to all links and is counted with what it reports', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1, 2, 3);
    const nak = srtNak(ENCODER, 7, 0x80000010, 0x19);
    expect(namesOf(bench.fromServer(group, nak))).toEqual(['1:5000', '2:5000', '3:5000']);
    expect(group.tally).toMatchObject({ serverNaks: 1, serverNakPackets: 11 });
  });

  test.each([2 ** 30 - 1000, 2 ** 30 + 1000, 2 ** 31 - 1])('a NAK of packet %p stays as long as it was', (sequence) => {
    const bench = new Bench({ padReplies: true });
    const group = bench.accepted(9, ENCODER, 1);
    const nak = srtNak(ENCODER, sequence);
    expect(bench.fromServer(group, nak)).toEqual([{ to: '1:5000', bytes: [...nak] }]);
    expect(nak.length).toBe(20);
  });

  test('so does every other SRT packet that is shorter than SRTLA’s padding', () => {
    const bench = new Bench({ padReplies: true });
    const group = bench.accepted(9, ENCODER, 1);
    for (const datagram of [
      control(1, ENCODER),
      control(2, ENCODER, 5),
      control(1, ENCODER, 0),
      srtShutdown(ENCODER),
    ]) {
      expect(bench.fromServer(group, datagram)).toEqual([{ to: '1:5000', bytes: [...datagram] }]);
    }
  });

  test('an ACK goes to the two links that brought SRT last, and ten times a second to the others', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1, 2, 3, 4);
    const ack = srtAck(ENCODER);
    bench.nowUs += 1000;
    bench.from(3, data(1));
    bench.nowUs += 1000;
    bench.from(2, data(2));
    expect(namesOf(bench.fromServer(group, ack))).toEqual(['1:5000', '2:5000', '3:5000', '4:5000']);
    for (let i = 0; i < 9; i += 1) {
      bench.nowUs += 10_000;
      expect(namesOf(bench.fromServer(group, ack))).toEqual(['2:5000', '3:5000']);
    }
    bench.nowUs += 10_000;
    expect(namesOf(bench.fromServer(group, ack))).toEqual(['1:5000', '2:5000', '3:5000', '4:5000']);
  });

  test('an ACK goes to all links where that is wished', () => {
    const bench = new Bench({ ackCopyIntervalUs: 0 });
    const group = bench.accepted(9, ENCODER, 1, 2, 3);
    for (let i = 0; i < 3; i += 1) expect(bench.fromServer(group, srtAck(ENCODER))).toHaveLength(3);
  });

  test('a shutdown goes to all links, everything else to the one that brought SRT last', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1, 2);
    bench.nowUs += 1000;
    bench.from(2, data(1));
    for (const datagram of [control(1, ENCODER), control(6, ENCODER, 0), data(1, { to: ENCODER })]) {
      expect(namesOf(bench.fromServer(group, datagram))).toEqual(['2:5000']);
    }
    expect(namesOf(bench.fromServer(group, srtShutdown(ENCODER)))).toEqual(['1:5000', '2:5000']);
    expect(bench.fromServer(group, [0x80])).toEqual([]);
  });

  test('is lost when the group has no link', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    bench.wait(16 * SECOND);
    expect(group.links).toEqual([]);
    for (const datagram of [srtAck(ENCODER), srtNak(ENCODER, 1), cookieAnswer(ENCODER), srtShutdown(ENCODER)]) {
      expect(bench.fromServer(group, datagram)).toEqual([]);
    }
  });
});

test('a link that flaps costs its group nothing', () => {
  const bench = new Bench();
  const group = bench.accepted(9, ENCODER, 1, 2);
  for (let i = 0; i < 10; i += 1) {
    for (let second = 0; second < 16; second += 1) {
      bench.from(1, data(i));
      bench.wait(SECOND);
    }
    expect(group.links.length).toBe(1);
    bench.from(1, KEEPALIVE);
    expect(bench.from(2, reg2(idOf(9)))).toEqual([{ to: '2:5000', bytes: REG3 }]);
  }
  expect([bench.toServer.length, group.links.length, bench.receiver.linkCount]).toEqual([160, 2, 2]);
});
