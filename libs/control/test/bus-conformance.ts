import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ServiceError } from '../src/errors.ts';
import type { Bus, BusMessage, KvChange, StreamMessage } from '../src/bus/bus.ts';

/** What an implementation supplies to be tested. */
export interface BusHarness {
  /** Two connections to one bus. */
  open(): Promise<readonly [Bus, Bus]>;
  /** Lets time pass. */
  elapse(ms: number): Promise<void>;
  /** Resolves when all that both buses sent so far has been delivered. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const HOUR_MS = 3_600_000;

/** One suite over every implementation of `Bus`: what it promises, the embedded one must keep as NATS does. */
export function testBus(name: string, harness: BusHarness): void {
  describe(`bus: ${name}`, () => {
    let a: Bus;
    let b: Bus;
    let names = 0;
    const unique = (): string => `t${Date.now().toString(36)}${names++}`;

    beforeAll(async () => {
      [a, b] = await harness.open();
    });
    afterAll(() => harness.close());

    describe('publish and subscribe', () => {
      test('wildcards, headers, and unsubscribing', async () => {
        const root = unique();
        const got: string[] = [];
        const note = (label: string) => (message: BusMessage) =>
          void got.push(`${label} ${message.subject.slice(root.length + 1)} ${text(message.payload)}`);
        const headers: unknown[] = [];
        a.subscribe(`${root}.a.b`, note('exact'));
        a.subscribe(`${root}.*.b`, note('star'));
        const tail = a.subscribe(`${root}.>`, note('tail'));
        a.subscribe(`${root}.a.b`, (message) => void headers.push(message.headers['Mp-Test']));
        await harness.settle();
        b.publish(`${root}.a.b`, bytes('1'), { 'Mp-Test': 'x y:z' });
        b.publish(`${root}.a`, bytes('2'));
        b.publish(`${root}.c.b`, bytes('3'));
        b.publish(`${root}.a.b.c`, bytes('4'));
        await harness.settle();
        tail.unsubscribe();
        await harness.settle();
        b.publish(`${root}.d`, bytes('5'));
        await harness.settle();
        expect(got.sort()).toEqual([
          'exact a.b 1',
          'star a.b 1',
          'star c.b 3',
          'tail a 2',
          'tail a.b 1',
          'tail a.b.c 4',
          'tail c.b 3',
        ]);
        expect(headers).toEqual(['x y:z']);
      });

      test('one member of a queue group gets each message', async () => {
        const subject = unique();
        const counts = [0, 0, 0];
        a.subscribe(subject, () => void counts[0]++, { queue: 'q' });
        b.subscribe(subject, () => void counts[1]++, { queue: 'q' });
        b.subscribe(subject, () => void counts[2]++);
        await harness.settle();
        for (let i = 0; i < 40; i++) a.publish(subject, bytes(String(i)));
        await harness.settle();
        expect(counts[0] + counts[1]).toBe(40);
        expect(counts[2]).toBe(40);
      });
    });

    describe('request and reply', () => {
      test('carries payload, request id and the time left', async () => {
        const subject = unique();
        b.respond(subject, async (request) => bytes(`${text(request.payload)} ${request.requestId}`));
        await harness.settle();
        const reply = await a.request(subject, bytes('hello'), { timeoutMs: 2_000, requestId: 'r-1' });
        expect(text(reply)).toBe('hello r-1');
      });

      test('hands the deadline on', async () => {
        const subject = unique();
        b.respond(subject, async (request) => {
          expect(request.signal.aborted).toBe(false);
          return bytes(request.headers['Mp-Time-Left-Ms']);
        });
        await harness.settle();
        expect(Number(text(await a.request(subject, bytes(''), { timeoutMs: 1_234 })))).toBe(1_234);
      });

      test('brings an error back whole', async () => {
        const subject = unique();
        const thrown = new ServiceError('RESOURCE_EXHAUSTED', 'NO_CAPACITY', 'full:\r\nreally — “full”', {
          retryAfterMs: 700,
          fieldViolations: [{ field: 'channel_id', description: 'é' }],
          metadata: { instance: 'abc' },
        });
        b.respond(subject, async () => Promise.reject(thrown));
        await harness.settle();
        const error: unknown = await a.request(subject, bytes(''), { timeoutMs: 2_000 }).catch((e: unknown) => e);
        expect(error).toBeInstanceOf(ServiceError);
        const { code, reason, message, retryAfterMs, fieldViolations, metadata } = ServiceError.from(error);
        expect({ code, reason, message, retryAfterMs, fieldViolations, metadata }).toEqual({
          code: thrown.code,
          reason: thrown.reason,
          message: thrown.message,
          retryAfterMs: 700,
          fieldViolations: thrown.fieldViolations,
          metadata: { instance: 'abc' },
        });
      });

      test('is UNAVAILABLE at once when nobody listens', async () => {
        await expect(a.request(unique(), bytes(''), { timeoutMs: 60_000 })).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          reason: 'NO_RESPONDERS',
        });
      });

      test('is DEADLINE_EXCEEDED when no answer comes, and aborts the handler', async () => {
        const subject = unique();
        const aborted = new Promise<void>((resolve) => {
          b.respond(subject, ({ signal }) => {
            signal.addEventListener('abort', () => resolve());
            return new Promise(() => undefined);
          });
        });
        await harness.settle();
        const call = a.request(subject, bytes(''), { timeoutMs: 50 });
        const outcome = expect(call).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' });
        await harness.elapse(60);
        await outcome;
        await aborted;
      });

      test('is never asked of anybody when its time is up', async () => {
        const subject = unique();
        let asked = 0;
        b.respond(subject, async () => bytes(String(++asked)));
        await harness.settle();
        await expect(a.request(subject, bytes(''), { timeoutMs: 0 })).rejects.toMatchObject({
          code: 'DEADLINE_EXCEEDED',
        });
        // What a slow network delivers late: a message whose header says that no time is left.
        a.publish(subject, bytes(''), { 'Mp-Time-Left-Ms': '0' });
        await harness.settle();
        expect(asked).toBe(0);
      });

      test('is CANCELLED by its signal', async () => {
        const subject = unique();
        b.respond(subject, () => new Promise(() => undefined));
        await harness.settle();
        const caller = new AbortController();
        const call = a.request(subject, bytes(''), { timeoutMs: 10_000, signal: caller.signal });
        caller.abort();
        await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
      });

      test('is shared by a queue group', async () => {
        const subject = unique();
        a.respond(subject, async () => bytes('a'), { queue: 'q' });
        b.respond(subject, async () => bytes('b'), { queue: 'q' });
        await harness.settle();
        for (let i = 0; i < 10; i++)
          expect(['a', 'b']).toContain(text(await a.request(subject, bytes(''), { timeoutMs: 2_000 })));
      });
    });

    describe('streams', () => {
      const options = (root: string) => ({ subjects: [`${root}.>`], maxAgeMs: HOUR_MS, maxBytes: 1_000_000 });

      async function take(count: number, messages: AsyncIterable<StreamMessage>): Promise<StreamMessage[]> {
        const taken: StreamMessage[] = [];
        for await (const message of messages) {
          taken.push(message);
          if (taken.length === count) break;
        }
        return taken;
      }

      test('replay from a sequence, then what comes', async () => {
        const root = unique();
        const stream = a.stream(root, options(root));
        const sequences: number[] = [];
        for (let i = 1; i <= 5; i++)
          sequences.push(await stream.publish(`${root}.x`, bytes(String(i)), { headers: { 'Mp-N': String(i) } }));
        expect(sequences).toEqual([1, 2, 3, 4, 5]);
        const done = new AbortController();
        const reader = b.stream(root, options(root)).read({ from: { sequence: 3 }, signal: done.signal });
        const later = take(4, reader);
        await stream.publish(`${root}.x`, bytes('6'));
        const got = await later;
        expect(got.map((message) => [message.sequence, text(message.payload), message.headers['Mp-N']])).toEqual([
          [3, '3', '3'],
          [4, '4', '4'],
          [5, '5', '5'],
          [6, '6', undefined],
        ]);
        done.abort();
      });

      test('filter by subject; first and last; purge', async () => {
        const root = unique();
        const stream = a.stream(root, options(root));
        expect(await stream.info()).toMatchObject({ firstSequence: 1, lastSequence: 0, messages: 0 });
        for (const key of ['x', 'y', 'x', 'y']) await stream.publish(`${root}.${key}`, bytes(key));
        const done = new AbortController();
        const got = await take(
          2,
          stream.read({ from: { sequence: 1 }, filterSubject: `${root}.y`, signal: done.signal }),
        );
        expect(got.map((message) => message.sequence)).toEqual([2, 4]);
        await stream.purge({ filterSubject: `${root}.x` });
        expect(await stream.info()).toMatchObject({ firstSequence: 2, lastSequence: 4, messages: 2 });
        await stream.purge();
        expect(await stream.info()).toMatchObject({ firstSequence: 5, lastSequence: 4, messages: 0 });
        await expect(take(1, stream.read({ from: { sequence: 2 }, signal: done.signal }))).rejects.toMatchObject({
          code: 'OUT_OF_RANGE',
          reason: 'SEQUENCE_TOO_OLD',
        });
        await expect(take(1, stream.read({ from: { sequence: 9 }, signal: done.signal }))).rejects.toMatchObject({
          code: 'OUT_OF_RANGE',
          reason: 'SEQUENCE_UNKNOWN',
        });
      });

      test('drop the oldest beyond their size', async () => {
        const root = unique();
        const stream = a.stream(root, { subjects: [`${root}.>`], maxAgeMs: HOUR_MS, maxBytes: 4_000 });
        for (let i = 0; i < 20; i++) await stream.publish(`${root}.x`, new Uint8Array(500));
        const info = await stream.info();
        expect(info.lastSequence).toBe(20);
        expect(info.firstSequence).toBeGreaterThan(10);
        expect(info.messages).toBeLessThanOrEqual(8);
      });

      test('store a repeated message id once', async () => {
        const root = unique();
        const stream = a.stream(root, options(root));
        expect(await stream.publish(`${root}.x`, bytes('1'), { messageId: 'm1' })).toBe(1);
        expect(await stream.publish(`${root}.x`, bytes('1'), { messageId: 'm1' })).toBe(1);
        expect((await stream.info()).messages).toBe(1);
      });

      test('read since a time', async () => {
        const root = unique();
        const stream = a.stream(root, options(root));
        await stream.publish(`${root}.x`, bytes('1'));
        await harness.elapse(20);
        await stream.publish(`${root}.x`, bytes('2'));
        const done = new AbortController();
        const all = await take(2, stream.read({ from: { unixMs: 0 }, signal: done.signal }));
        const since = await take(1, stream.read({ from: { unixMs: all[1].unixMs }, signal: done.signal }));
        expect(text(since[0].payload)).toBe('2');
        const ended: number[] = [];
        for await (const message of stream.read({ from: { unixMs: 0 }, until: 1, signal: done.signal }))
          ended.push(message.sequence);
        const late = { from: { unixMs: all[1].unixMs + 3_000 }, until: 2, signal: done.signal };
        for await (const message of stream.read(late)) ended.push(message.sequence);
        expect(ended).toEqual([1]);
      });

      test('a reader ends when its signal aborts', async () => {
        const root = unique();
        const done = new AbortController();
        const reading = take(1, a.stream(root, options(root)).read({ from: { sequence: 1 }, signal: done.signal }));
        await harness.settle();
        done.abort();
        expect(await reading).toEqual([]);
      });
    });

    describe('key-value', () => {
      test('create, get, put, update by revision', async () => {
        const bucket = unique();
        const kv = a.kv(bucket, { ttlMs: 0 });
        const other = b.kv(bucket, { ttlMs: 0 });
        const created = await kv.create('a.b', bytes('1'));
        await expect(other.create('a.b', bytes('2'))).rejects.toMatchObject({
          code: 'ALREADY_EXISTS',
          reason: 'KEY_EXISTS',
        });
        expect(text((await other.get('a.b'))?.value ?? bytes(''))).toBe('1');
        const updated = await other.update('a.b', bytes('2'), created);
        expect(updated).toBeGreaterThan(created);
        await expect(kv.update('a.b', bytes('3'), created)).rejects.toMatchObject({
          code: 'ABORTED',
          reason: 'REVISION_MISMATCH',
        });
        await kv.put('a.b', bytes('4'));
        await expect(kv.update('missing', bytes('3'), 1)).rejects.toMatchObject({ code: 'ABORTED' });
        expect(await kv.get('nothing')).toBeUndefined();
        await expect(kv.get('no spaces')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      });

      test('one of many concurrent creates wins', async () => {
        const bucket = unique();
        const tries = Array.from({ length: 10 }, (_, i) =>
          (i % 2 === 0 ? a : b).kv(bucket, { ttlMs: 0 }).create('k', bytes(String(i))),
        );
        const outcomes = await Promise.allSettled(tries);
        expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      });

      test('a delete shrinks the bucket and frees the key', async () => {
        const kv = a.kv(unique(), { ttlMs: 0 });
        for (let i = 0; i < 20; i++) await kv.put(`k.${i}`, bytes('v'));
        expect(await kv.size()).toBe(20);
        for (let i = 0; i < 20; i++) await kv.delete(`k.${i}`);
        expect(await kv.size()).toBe(0);
        await kv.delete('k.1');
        expect(await kv.keys()).toEqual([]);
        expect(await kv.create('k.1', bytes('again'))).toBeGreaterThan(0);
      });

      test('keys and entries by filter', async () => {
        const kv = a.kv(unique(), { ttlMs: 0 });
        expect(await kv.entries()).toEqual([]);
        for (const key of ['x.1', 'x.2', 'y.1']) await kv.put(key, bytes(key));
        await kv.put('x.1', bytes('new'));
        expect((await kv.keys()).sort()).toEqual(['x.1', 'x.2', 'y.1']);
        expect((await kv.keys('x.*')).sort()).toEqual(['x.1', 'x.2']);
        const entries = (await kv.entries('x.>')).map((entry) => `${entry.key}=${text(entry.value)}`);
        expect(entries.sort()).toEqual(['x.1=new', 'x.2=x.2']);
      });

      test('entries of a bucket with a TTL expire unless written again', async () => {
        const kv = a.kv(unique(), { ttlMs: 1_000 });
        const revision = await kv.create('kept', bytes('1'));
        await kv.create('left', bytes('1'));
        await harness.elapse(600);
        await kv.update('kept', bytes('2'), revision);
        await harness.elapse(600);
        while ((await kv.get('left')) !== undefined) await harness.elapse(50);
        expect(await kv.create('left', bytes('free again'))).toBeGreaterThan(revision);
      });

      test('watch gives the snapshot, then changes', async () => {
        const bucket = unique();
        const kv = a.kv(bucket, { ttlMs: 0 });
        await kv.put('x.1', bytes('1'));
        await kv.put('y.1', bytes('1'));
        const done = new AbortController();
        const seen: string[] = [];
        const changes = b.kv(bucket, { ttlMs: 0 }).watch({ filter: 'x.>', signal: done.signal });
        for await (const change of changes) {
          seen.push(describeChange(change));
          if (change.kind === 'ready') {
            await kv.put('y.2', bytes('no'));
            await kv.put('x.2', bytes('2'));
          }
          if (seen.at(-1) === 'put x.2=2') await kv.delete('x.1');
          if (seen.at(-1) === 'delete x.1') done.abort();
        }
        expect(seen).toEqual(['put x.1=1', 'ready', 'put x.2=2', 'delete x.1']);
      });
    });
  });
}

function describeChange(change: KvChange): string {
  if (change.kind === 'put') return `put ${change.entry.key}=${text(change.entry.value)}`;
  return change.kind === 'delete' ? `delete ${change.key}` : 'ready';
}
