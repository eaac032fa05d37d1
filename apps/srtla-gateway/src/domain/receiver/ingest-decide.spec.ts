import { describe, expect, test } from '@jest/globals';
import { RejectionReason } from '@mediaplane/srtla';
import type { Group } from './group.ts';
import { Bench, SECOND, handshakeOf } from './spec-bench.ts';
import {
  SERVER_COOKIE,
  SERVER_SOCKET,
  acceptance,
  conclusion,
  cookieAnswer,
  data,
  induction,
  rejection,
  srtAck,
} from './spec-packets.ts';
import type { ConclusionFields } from './spec-packets.ts';

const ENCODER = 77;
const RESTARTED = 78;

class Ingest extends Bench {
  readonly group: Group;

  constructor() {
    super({ ingest: 'decide' });
    this.group = this.register(9, 1, 2);
    this.events.length = 0;
  }

  cookieFor(socketId: number): number {
    const [answer] = this.from(1, induction(socketId));
    return handshakeOf(answer.bytes).cookie;
  }

  /** What the encoder gets back. */
  concludes(socketId: number, fields: ConclusionFields = {}, host = 1) {
    const answers = this.from(host, conclusion(socketId, { cookie: this.cookieFor(socketId), ...fields }));
    return answers.map(({ to, bytes }) => ({ to, ...handshakeOf(bytes) }));
  }

  verdict(request: number, reason: number | null = null) {
    let stood = false;
    const sent = this.does(() => {
      stood = this.receiver.verdict(this.group, request, reason, this.nowUs);
    });
    return { stood, sent: sent.map(({ to, bytes }) => ({ to, ...handshakeOf(bytes) })) };
  }

  accept(socketId: number, streamId: string, request: number): void {
    this.concludes(socketId, { streamId });
    this.verdict(request);
    this.fromServer(this.group, cookieAnswer(socketId));
    this.fromServer(this.group, acceptance(socketId));
    this.toServer.length = 0;
  }
}

describe('a group whose server is chosen by the stream id', () => {
  test('the gateway answers the induction, holds the conclusion and asks; nothing goes upstream', () => {
    const ingest = new Ingest();
    const [answer, ...more] = ingest.from(2, induction(ENCODER));
    expect(answer.to).toBe('2:5000');
    expect(answer.bytes.length).toBe(induction(ENCODER).length);
    const { version, type, destinationSocketId, extensionField } = handshakeOf(answer.bytes);
    expect({ version, type, destinationSocketId, extensionField }).toEqual({
      version: 5,
      type: 1,
      destinationSocketId: ENCODER,
      extensionField: 0x4a17,
    });
    expect(more).toEqual([]);
    expect(ingest.concludes(ENCODER, { streamId: 'live/key' })).toEqual([]);
    ingest.from(1, data(1));
    expect([ingest.events, ingest.takeToServer()]).toEqual([['group 0 asks 1: live/key'], []]);
    expect(ingest.group.attempt?.conclusion).toMatchObject({ latencyMs: 200, isEncrypted: false });
  });

  test('accepted: it shakes hands with the server in the encoder’s name, and the conclusion goes on with that cookie', () => {
    const ingest = new Ingest();
    const asked = { streamId: 'live/key', encrypted: true, cookie: ingest.cookieFor(ENCODER) };
    ingest.concludes(ENCODER, asked);
    expect(ingest.verdict(1)).toEqual({ stood: true, sent: [] });
    const [request] = ingest.takeToServer();
    expect(handshakeOf(request)).toMatchObject({
      type: 1,
      version: 4,
      socketId: ENCODER,
      cookie: 0,
      initialSequence: 1000,
    });
    expect(ingest.fromServer(ingest.group, cookieAnswer(ENCODER))).toEqual([]);
    expect(ingest.takeToServer()).toEqual([[...conclusion(ENCODER, { ...asked, cookie: SERVER_COOKIE })]]);
    expect(ingest.fromServer(ingest.group, acceptance(ENCODER))).toEqual([
      { to: '1:5000', bytes: [...acceptance(ENCODER)] },
    ]);
    expect(ingest.events).toEqual(['group 0 asks 1: live/key', 'group 0 accepted 77: live/key, 300 ms']);
    ingest.from(2, data(1));
    expect(ingest.takeToServer()).toHaveLength(1);
  });

  test.each([1401, 1403])(
    'refused with %p: the encoder is told so, and its repeats without a new request',
    (reason) => {
      const ingest = new Ingest();
      ingest.concludes(ENCODER, { streamId: 'x' });
      expect(ingest.verdict(1, reason)).toMatchObject({
        stood: true,
        sent: [{ to: '1:5000', type: 1000 + reason, destinationSocketId: ENCODER }],
      });
      for (let i = 0; i < 5; i += 1) {
        expect(ingest.concludes(RESTARTED + i, { streamId: 'x' })).toMatchObject([{ type: 1000 + reason }]);
      }
      expect(ingest.events).toEqual(['group 0 asks 1: x', `group 0 refused by verdict: x, ${reason}`]);
      expect(ingest.receiver.counters.refusalRepeats).toBe(5);
      expect(ingest.concludes(RESTARTED, { streamId: 'y' })).toEqual([]);
      expect(ingest.events.at(-1)).toBe('group 0 asks 2: y');
      ingest.verdict(2, reason);
      ingest.wait(11 * SECOND);
      ingest.register(9, 1);
      expect(ingest.takeToServer()).toEqual([]);
    },
  );

  test('a refusal is remembered for a while, then asked for anew', () => {
    const ingest = new Ingest();
    ingest.accept(ENCODER, 'x', 1);
    ingest.concludes(RESTARTED, { streamId: 'y' });
    ingest.verdict(2, RejectionReason.forbidden);
    for (let i = 0; i < 10; i += 1) {
      ingest.wait(SECOND);
      ingest.from(1, data(i));
    }
    expect(ingest.concludes(RESTARTED, { streamId: 'y' })).toEqual([]);
    expect(ingest.events.at(-1)).toBe('group 0 asks 3: y');
  });

  test('without a stream id the request says so', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER);
    expect(ingest.events).toEqual(['group 0 asks 1: null']);
  });

  test('repeats while a verdict is awaited ask no second time, whatever the link', () => {
    const ingest = new Ingest();
    for (const host of [1, 2, 1]) expect(ingest.concludes(ENCODER, { streamId: 'x' }, host)).toEqual([]);
    expect(ingest.events).toEqual(['group 0 asks 1: x']);
  });

  test('no verdict in time: refused by the gateway, and the verdict that comes late does nothing', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER, { streamId: 'x' });
    expect(ingest.wait(2.1 * SECOND)).toEqual([]);
    const [answer] = ingest.wait(0.2 * SECOND);
    expect(handshakeOf(answer.bytes)).toMatchObject({ type: 2503, destinationSocketId: ENCODER });
    expect(ingest.events.at(-1)).toBe('group 0 refused by gateway: x, 1503');
    expect(ingest.verdict(1)).toEqual({ stood: false, sent: [] });
    expect(ingest.takeToServer()).toEqual([]);
    expect(ingest.concludes(ENCODER, { streamId: 'x' })).toEqual([]);
    expect(ingest.events.at(-1)).toBe('group 0 asks 2: x');
  });

  test('a verdict for a request that another has overtaken, or given twice, does nothing', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER, { streamId: 'x' });
    ingest.concludes(RESTARTED, { streamId: 'y' });
    expect([ingest.verdict(1).stood, ingest.verdict(2).stood, ingest.verdict(2, 1403).stood]).toEqual([
      false,
      true,
      false,
    ]);
    expect(handshakeOf(ingest.takeToServer()[0]).socketId).toBe(RESTARTED);
  });

  test('a server that is away and comes back gets what the encoder repeats', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER, { streamId: 'x' });
    ingest.verdict(1);
    for (let i = 0; i < 4; i += 1) {
      ingest.wait(0.25 * SECOND);
      ingest.concludes(ENCODER, { streamId: 'x' });
    }
    expect(ingest.takeToServer().map((bytes) => handshakeOf(bytes).type)).toEqual([1, 1, 1, 1, 1]);
    ingest.fromServer(ingest.group, cookieAnswer(ENCODER));
    ingest.fromServer(ingest.group, cookieAnswer(ENCODER));
    ingest.wait(0.25 * SECOND);
    ingest.concludes(ENCODER, { streamId: 'x' });
    expect(ingest.takeToServer().map((bytes) => handshakeOf(bytes).type)).toEqual([0xffffffff, 0xffffffff]);
  });

  test('a server that stays away: the encoder is told before it gives up, and may try again', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER, { streamId: 'x' });
    ingest.wait(SECOND);
    ingest.verdict(1);
    const [answer, ...more] = ingest.wait(1.9 * SECOND);
    expect([handshakeOf(answer.bytes).type, more]).toEqual([2502, []]);
    expect(ingest.events.at(-1)).toBe('group 0 refused by gateway: x, 1502');
    ingest.accept(RESTARTED, 'x', 2);
    expect(ingest.events.at(-1)).toBe('group 0 accepted 78: x, 300 ms');
  });

  test('a refusal of the server goes to the encoder', () => {
    const ingest = new Ingest();
    ingest.concludes(ENCODER, { streamId: 'x' });
    ingest.verdict(1);
    ingest.fromServer(ingest.group, cookieAnswer(ENCODER));
    const [answer] = ingest.fromServer(ingest.group, rejection(ENCODER, RejectionReason.badSecret));
    expect(handshakeOf(answer.bytes)).toMatchObject({ type: 1010, destinationSocketId: ENCODER });
    expect(ingest.events.at(-1)).toBe('group 0 refused by server: x, 10');
    expect(ingest.group.attempt).toBe(null);
  });

  test('an answer of the server that was lost is asked for again with what was authorised', () => {
    const ingest = new Ingest();
    ingest.accept(ENCODER, 'x', 1);
    expect(ingest.concludes(ENCODER, { streamId: 'x' })).toEqual([]);
    expect(ingest.takeToServer()).toEqual([[...conclusion(ENCODER, { streamId: 'x' })]]);
    expect(ingest.fromServer(ingest.group, acceptance(ENCODER))).toHaveLength(1);
    expect(ingest.concludes(ENCODER, { streamId: 'y' })).toMatchObject([{ type: 1004 }]);
    expect(ingest.takeToServer()).toEqual([]);
  });

  test('a conclusion with a cookie of somebody else is refused', () => {
    const ingest = new Ingest();
    expect(ingest.concludes(ENCODER, { cookie: SERVER_COOKIE })).toMatchObject([{ type: 1004 }]);
    expect(ingest.events).toEqual([]);
  });
});

describe('an encoder that starts again', () => {
  test('is authorised anew, and the session before goes on until the new one is accepted', () => {
    const ingest = new Ingest();
    ingest.accept(ENCODER, 'x', 1);
    ingest.concludes(RESTARTED, { streamId: 'x' });
    expect(ingest.events.at(-1)).toBe('group 0 asks 2: x');
    ingest.from(1, data(1));
    expect(ingest.takeToServer()).toHaveLength(1);
    ingest.verdict(2, 1403);
    expect(ingest.fromServer(ingest.group, srtAck(ENCODER))).not.toEqual([]);
    ingest.from(1, data(2));
    expect(ingest.takeToServer()).toHaveLength(1);
    expect(ingest.group.stream?.serverSocketId).toBe(SERVER_SOCKET);
  });

  test('and again and again, with another socket each time, asks no more than ten times and twice a second', () => {
    const ingest = new Ingest();
    for (let i = 0; i < 1000; i += 1) {
      ingest.concludes(1000 + i, { streamId: `${i}` });
      ingest.nowUs += 1000;
    }
    expect(ingest.events.length).toBe(11);
  });
});
