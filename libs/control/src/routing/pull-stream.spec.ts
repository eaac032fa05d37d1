import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../errors.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { PullSources, unframe } from './pull-stream.ts';
import { makeInstanceId, makeSessionId, parseSessionId } from './session-id.ts';

async function* from(messages: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* messages;
}

async function pullAll(sources: PullSources, messages: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const got: Uint8Array[] = [];
  let reply = unframe(await sources.open('id', () => from(messages)));
  for (;;) {
    got.push(...reply.messages);
    if (reply.ended) return got;
    reply = unframe(await sources.pull('id'));
  }
}

describe('pulled streams', () => {
  test('any messages arrive whole and in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 40_000 }), { maxLength: 20 }), async (messages) => {
        const sources = new PullSources(new VirtualClock());
        expect(await pullAll(sources, messages)).toEqual(messages);
        expect(sources.size).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  test('any bytes as a reply are read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (reply) => {
        try {
          const { messages } = unframe(reply);
          expect(messages.reduce((sum, message) => sum + 4 + message.length, 1)).toBe(reply.length);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServiceError);
        }
      }),
    );
  });

  test('a source that nobody pulls is closed', async () => {
    const clock = new VirtualClock();
    const sources = new PullSources(clock);
    let stopped = false;
    const endless = async function* (signal: AbortSignal): AsyncGenerator<Uint8Array> {
      signal.addEventListener('abort', () => (stopped = true));
      for (;;) yield new Uint8Array(30_000);
    };
    await sources.open('id', endless);
    await clock.advance(29_000);
    await sources.pull('id');
    await clock.advance(29_000);
    expect(stopped).toBe(false);
    await clock.advance(2_000);
    expect(stopped).toBe(true);
    await expect(sources.pull('id')).rejects.toMatchObject({ code: 'ABORTED', reason: 'STREAM_ENDED' });
  });
});

describe('session ids', () => {
  test('name their owner, and are never alike', () => {
    const instanceId = makeInstanceId();
    const ids = Array.from({ length: 10_000 }, () => makeSessionId('ch', instanceId));
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(parseSessionId(id)).toMatchObject({ kind: 'ch', instanceId });
  });

  test('any text is parsed or refused', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z]{1,3}_[a-z2-7]*_[a-z2-7_.]*$/));
    fc.assert(
      fc.property(text, (candidate) => {
        const id = parseSessionId(candidate);
        if (id !== undefined) expect(`${id.kind}_${id.instanceId}_${id.random}`).toBe(candidate);
      }),
    );
  });
});
