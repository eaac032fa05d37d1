import { describe, expect, test } from '@jest/globals';
import { Bench, SECOND, handshakeOf, kindsOf } from './spec-bench.ts';
import {
  SERVER_SOCKET,
  acceptance,
  conclusion,
  control,
  cookieAnswer,
  data,
  induction,
  rejection,
  srtAck,
  srtNak,
  srtShutdown,
} from './spec-packets.ts';

const ENCODER = 77;
const RESTARTED = 78;
const OTHER_SERVER_SOCKET = 0x2bd7c2a5;

describe('a group whose server decides', () => {
  test('lets the handshake through as it is, and tells who was accepted and what was agreed', () => {
    const bench = new Bench();
    const group = bench.register(9, 1, 2);
    const request = conclusion(ENCODER, { streamId: 'live/key', encrypted: true });
    expect(bench.from(1, induction(ENCODER))).toEqual([]);
    expect(bench.fromServer(group, cookieAnswer(ENCODER))).toEqual([
      { to: '1:5000', bytes: [...cookieAnswer(ENCODER)] },
    ]);
    bench.nowUs += 1000;
    bench.from(2, request);
    expect(bench.fromServer(group, acceptance(ENCODER))).toEqual([{ to: '2:5000', bytes: [...acceptance(ENCODER)] }]);
    expect(bench.takeToServer()).toEqual([[...induction(ENCODER)], [...request]]);
    expect(bench.events.at(-1)).toBe('group 0 accepted 77: live/key, 300 ms');
    expect(group.stream).toMatchObject({ callerSocketId: ENCODER, serverSocketId: SERVER_SOCKET });
    expect(group.stream?.conclusion?.isEncrypted).toBe(true);
  });

  test('whose server says nothing to an encoder for two seconds is told of, once for each that calls', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    const call = (socketId: number, seconds: number): void => {
      for (let i = 0; i < seconds * 4; i += 1) {
        bench.from(1, induction(socketId));
        bench.wait(SECOND / 4);
      }
    };
    const toldOf = (): number => bench.events.filter((event) => event === 'group 0 unanswered').length;
    call(ENCODER, 2);
    expect(toldOf()).toBe(0);
    call(ENCODER, 1);
    call(RESTARTED, 3);
    expect(toldOf()).toBe(2);
    call(79, 1);
    bench.fromServer(group, cookieAnswer(79));
    call(79, 2);
    expect(toldOf()).toBe(2);
  });

  test('cannot begin any number of sessions in a moment: ten, then two a second', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    for (let socketId = 100; socketId < 200; socketId += 1) bench.shakeHands(group, 1, socketId);
    const acceptedOf = (): number => bench.events.filter((event) => event.startsWith('group 0 accepted')).length;
    expect(acceptedOf()).toBe(10);
    bench.wait(SECOND);
    for (let socketId = 200; socketId < 300; socketId += 1) bench.shakeHands(group, 1, socketId);
    expect(acceptedOf()).toBe(12);
  });

  test('lets nothing but handshakes through before that, either way', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    bench.from(1, induction(ENCODER));
    bench.from(1, conclusion(ENCODER));
    bench.takeToServer();
    for (const datagram of [data(1), srtAck(SERVER_SOCKET), srtShutdown(SERVER_SOCKET), control(1, SERVER_SOCKET)]) {
      expect(bench.from(1, datagram)).toEqual([]);
    }
    for (const datagram of [data(1, { to: ENCODER }), srtAck(ENCODER), srtNak(ENCODER, 1), srtShutdown(ENCODER)]) {
      expect(bench.fromServer(group, datagram)).toEqual([]);
    }
    expect(bench.takeToServer()).toEqual([]);
    expect(bench.receiver.counters.notAccepted).toBe(8);
    expect(group.tally).toMatchObject({ notAccepted: 4, serverNotAccepted: 4 });
  });

  test('takes no acceptance that nobody asked for, nor one for another encoder', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    expect(bench.fromServer(group, acceptance(ENCODER))).toEqual([]);
    bench.from(1, induction(ENCODER));
    expect(bench.fromServer(group, acceptance(ENCODER))).toEqual([]);
    bench.from(1, conclusion(ENCODER));
    expect(bench.fromServer(group, acceptance(RESTARTED))).toEqual([]);
    expect(group.stream).toBe(null);
  });

  test('hands a refusal of the server to the encoder, and tells it', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    bench.from(1, conclusion(ENCODER, { streamId: 'x' }));
    const [answer] = bench.fromServer(group, rejection(ENCODER, 1403));
    expect(handshakeOf(answer.bytes).type).toBe(2403);
    expect(bench.events.at(-1)).toBe('group 0 refused by server: x, 1403');
    expect(group.stream).toBe(null);
  });

  test('does not flood the events with an encoder that is refused and comes back at once', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    for (let i = 0; i < 1000; i += 1) {
      bench.from(1, conclusion(ENCODER + i));
      expect(bench.fromServer(group, rejection(ENCODER + i, 1403))).toHaveLength(1);
      bench.nowUs += 1000;
    }
    expect(bench.events.filter((text) => text.includes('refused')).length).toBe(11);
    expect(bench.receiver.counters.refusalRepeats).toBe(989);
  });

  test('repeats what the encoder repeats, while the server is away and when its answer was lost', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    for (let i = 0; i < 12; i += 1) {
      bench.from(1, induction(ENCODER));
      bench.wait(0.25 * SECOND);
    }
    expect(bench.takeToServer()).toHaveLength(12);
    bench.shakeHands(group, 1, RESTARTED);
    bench.from(1, conclusion(RESTARTED));
    expect(bench.takeToServer()).toEqual([[...conclusion(RESTARTED)]]);
    expect(bench.fromServer(group, acceptance(RESTARTED))).toHaveLength(1);
    expect(bench.events.filter((text) => text.includes('accepted')).length).toBe(1);
  });

  test('refuses a socket that asks for another stream than it has asked for', () => {
    const bench = new Bench();
    bench.register(9, 1);
    bench.from(1, conclusion(ENCODER, { streamId: 'mine' }));
    const [answer] = bench.from(1, conclusion(ENCODER, { streamId: 'yours' }));
    expect(handshakeOf(answer.bytes)).toMatchObject({ type: 1004, destinationSocketId: ENCODER });
    expect(bench.takeToServer()).toHaveLength(1);
  });

  test('drops handshakes that are for neither stage, and those that cannot be read', () => {
    const bench = new Bench();
    const group = bench.register(9, 1);
    expect(bench.from(1, rejection(SERVER_SOCKET, 1403))).toEqual([]);
    expect(bench.from(1, conclusion(ENCODER).subarray(0, 66))).toEqual([]);
    expect(bench.fromServer(group, acceptance(ENCODER).subarray(0, 66))).toEqual([]);
    expect(bench.takeToServer()).toEqual([]);
    expect(bench.receiver.counters).toMatchObject({ notAccepted: 1, malformed: 2 });
  });
});

describe('an encoder that starts again', () => {
  test('is accepted anew; until then the session before goes on, and nothing of it reaches the new one after', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    bench.from(1, induction(RESTARTED));
    bench.fromServer(group, cookieAnswer(RESTARTED));
    bench.from(1, conclusion(RESTARTED));
    expect(bench.fromServer(group, srtAck(ENCODER))).toHaveLength(1);
    bench.fromServer(group, acceptance(RESTARTED, OTHER_SERVER_SOCKET));
    bench.takeToServer();
    expect(bench.fromServer(group, srtAck(ENCODER))).toEqual([]);
    expect(bench.fromServer(group, srtNak(ENCODER, 5))).toEqual([]);
    expect(bench.fromServer(group, srtShutdown(ENCODER))).toEqual([]);
    expect(bench.fromServer(group, srtAck(RESTARTED))).toHaveLength(1);
    bench.from(1, data(9));
    bench.from(1, data(1, { to: OTHER_SERVER_SOCKET }));
    expect(bench.takeToServer()).toEqual([[...data(1, { to: OTHER_SERVER_SOCKET })]]);
    expect(bench.events.filter((text) => /accepted|ended/.test(text))).toEqual([
      'group 0 accepted 77: null, 300 ms',
      'group 0 accepted 78: null, 300 ms',
    ]);
  });

  test('and had gone without a word: its session is ended first, for the server may take one at a time', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    bench.from(1, data(1));
    bench.wait(2.1 * SECOND);
    bench.takeToServer();
    bench.from(1, induction(RESTARTED));
    bench.from(1, conclusion(RESTARTED));
    expect(kindsOf(bench.takeToServer())).toEqual(['shutdown', 'handshake', 'handshake']);
    expect(bench.events.at(-1)).toBe('group 0 ended by silence');
    bench.fromServer(group, acceptance(RESTARTED, OTHER_SERVER_SOCKET));
    expect(group.stream?.serverSocketId).toBe(OTHER_SERVER_SOCKET);
  });

  test('after its goodbye may come back as long as its sender is there', () => {
    const bench = new Bench();
    const group = bench.accepted(9, ENCODER, 1);
    bench.from(1, srtShutdown(SERVER_SOCKET));
    expect(bench.takeToServer()).toEqual([[...srtShutdown(SERVER_SOCKET)]]);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toEqual([]);
    for (let i = 0; i < 100; i += 1) {
      bench.wait(SECOND);
      bench.from(1, [0x90, 0]);
    }
    bench.shakeHands(group, 1, RESTARTED);
    bench.from(1, data(1));
    expect(bench.takeToServer()).toHaveLength(1);
    bench.fromServer(group, srtShutdown(RESTARTED));
    bench.wait(46 * SECOND);
    expect(bench.events.slice(2)).toEqual([
      'group 0 accepted 77: null, 300 ms',
      'group 0 ended by encoder',
      'group 0 accepted 78: null, 300 ms',
      'group 0 ended by server',
      'link 1:5000 down: silent',
      'group 0 down: no-links',
    ]);
  });

  test('a session whose encoder says nothing for 30 s is over, at both ends', () => {
    const bench = new Bench();
    bench.accepted(9, ENCODER, 1);
    bench.from(1, data(1));
    bench.takeToServer();
    for (let i = 0; i < 31; i += 1) {
      bench.wait(SECOND);
      bench.from(1, [0x90, 0]);
    }
    expect(bench.events.at(-1)).toBe('group 0 ended by silence');
    expect(kindsOf(bench.takeToServer())).toEqual(['shutdown']);
  });
});

test('a session that is ended on command is ended at both ends, and the links stay', () => {
  const bench = new Bench();
  const group = bench.accepted(9, ENCODER, 1, 2);
  const goodbyes = bench.does(() => expect(bench.receiver.endStream(group, bench.nowUs)).toBe(true));
  expect(goodbyes).toEqual(['1:5000', '2:5000'].map((to) => ({ to, bytes: [...srtShutdown(ENCODER)] })));
  expect(bench.takeToServer()).toEqual([[...srtShutdown(SERVER_SOCKET)]]);
  expect([bench.receiver.endStream(group, bench.nowUs), group.links.length]).toEqual([false, 2]);
});

test('a session ends when its group goes to another server, and only then', () => {
  const bench = new Bench();
  const group = bench.accepted(9, ENCODER, 1);
  const server = { w0: 0, w1: 0, w2: 0xffff, w3: 1, port: 9000 };
  bench.receiver.setServer(group, server, bench.nowUs);
  bench.receiver.setServer(group, { ...server }, bench.nowUs);
  expect(group.stream).not.toBe(null);
  bench.receiver.setServer(group, { ...server, port: 9001 }, bench.nowUs);
  expect(group.stream).toBe(null);
  expect(kindsOf(bench.takeToServer())).toEqual(['shutdown']);
});
