import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { BusKv, BusStream } from '../bus/bus.ts';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { makeCounters } from '../counters.ts';
import { ServiceError } from '../errors.ts';
import { silentLogger } from '../logger.ts';
import type { Logger } from '../logger.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { WriteBehind } from './write-behind.ts';

const HOUR_MS = 3_600_000;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);

type Fault = 'none' | 'before' | 'after';

/** A bus whose writes fail as the script says: not done, or done but not acknowledged. When it ends, all is well. */
function flaky(clock: VirtualClock, script: readonly Fault[]): { bus: EmbeddedBus; records: BusKv; stream: BusStream } {
  const bus = new EmbeddedBus({ clock });
  const records = bus.kv('sessions', { ttlMs: 0 });
  const stream = bus.stream('events', { subjects: ['mp.v1.phone.evt.*'], maxAgeMs: HOUR_MS, maxBytes: 1e9 });
  let step = 0;
  const disturb = async <T>(work: () => Promise<T>): Promise<T> => {
    const fault = script[step++] ?? 'none';
    const failure = ServiceError.unavailable('BUS_FAILED', fault);
    if (fault === 'before') throw failure;
    const result = await work();
    if (fault === 'after') throw failure;
    return result;
  };
  return {
    bus,
    records: {
      ...records,
      entries: () => records.entries(),
      put: (key, value) => disturb(() => records.put(key, value)),
      delete: (key) => disturb(() => records.delete(key)),
    },
    stream: {
      ...stream,
      info: () => stream.info(),
      read: (options) => stream.read(options),
      publish: (subject, payload, options) => disturb(() => stream.publish(subject, payload, options)),
    },
  };
}

interface WriterSetup {
  readonly script?: readonly Fault[];
  readonly logger?: Logger;
  certain?(): boolean;
}

function makeWriter(
  clock: VirtualClock,
  { script = [], logger = silentLogger, certain = () => true }: WriterSetup = {},
) {
  const parts = { ...flaky(clock, script), counters: makeCounters() };
  const writer = new WriteBehind({
    ...parts,
    service: 'phone',
    instanceId: 'me',
    clock,
    logger,
    flushIntervalMs: 100,
    maxPendingWrites: 1_000,
    certain,
  });
  return { ...parts, writer };
}

async function storedEvents(stream: BusStream): Promise<Map<string, string[]>> {
  const events = new Map<string, string[]>();
  const { lastSequence } = await stream.info();
  const signal = new AbortController().signal;
  for await (const { subject, payload } of stream.read({ from: { sequence: 1 }, until: lastSequence, signal })) {
    const sessionId = subject.slice(subject.lastIndexOf('.') + 1);
    events.set(sessionId, [...(events.get(sessionId) ?? []), text(payload)]);
  }
  return events;
}

describe('write-behind', () => {
  test('whatever fails and whenever: each event once, in its session\u2019s order, and the records that should be there', async () => {
    const action = fc.record({
      kind: fc.constantFrom('open', 'event', 'event', 'change', 'close', 'wait'),
      session: fc.nat(4),
      waitMs: fc.constantFrom(0, 1, 60, 150, 400),
    });
    const fault = fc.constantFrom<Fault>('none', 'none', 'before', 'after');
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 60 }),
        fc.array(fault, { maxLength: 60 }),
        async (actions, script) => {
          const clock = new VirtualClock();
          const { writer, records, stream } = makeWriter(clock, { script });
          const live = new Map<string, string>();
          const expected = new Map<string, string[]>();
          let count = 0;
          const say = (id: string, what: string, final = false): void => {
            writer.publish(id, bytes(what), final);
            expected.set(id, [...(expected.get(id) ?? []), what]);
          };
          const current: (string | undefined)[] = [];
          for (const { kind, session, waitMs } of actions) {
            const id = current[session];
            if (kind === 'wait') await clock.advance(waitMs);
            else if (id === undefined) {
              const opened = `s${count++}`;
              current[session] = opened;
              live.set(opened, 'v0');
              writer.put(opened, () => bytes(live.get(opened) ?? ''));
              say(opened, 'opened');
            } else if (kind === 'event') say(id, `e${count++}`);
            else if (kind === 'change') {
              live.set(id, `v${count++}`);
              writer.put(id, () => bytes(live.get(id) ?? ''));
            } else if (kind === 'close') {
              say(id, 'closed', true);
              writer.remove(id);
              live.delete(id);
              current[session] = undefined;
            }
          }
          const flushed = writer.flush();
          await clock.advance(120_000);
          await flushed;
          expect(await storedEvents(stream)).toEqual(expected);
          const stored = (await records.entries()).map(({ key, value }) => [key, text(value)]);
          expect(stored.sort()).toEqual([...live].map(([id, value]) => [`me.${id}`, value]).sort());
          writer.stop();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('no event is out before its session\u2019s record, and no record is removed before the last event is out', async () => {
    const clock = new VirtualClock();
    const script: Fault[] = ['before', 'before', 'none', 'before', 'none', 'before', 'none', 'none'];
    const { writer, records, stream } = makeWriter(clock, { script });
    writer.put('s', () => bytes('v'));
    writer.publish('s', bytes('opened'), false);
    let closing = false;
    for (let i = 0; i < 100; i++) {
      await clock.advance(25);
      const { messages } = await stream.info();
      const hasRecord = (await records.entries()).length === 1;
      if (messages === 1) expect(hasRecord).toBe(true);
      if (!hasRecord && closing) expect(messages).toBe(2);
      if (messages === 1 && !closing) {
        closing = true;
        writer.publish('s', bytes('closed'), true);
        writer.remove('s');
      }
    }
    expect(closing).toBe(true);
    expect(await records.entries()).toEqual([]);
  });

  test('nothing is written while this instance may have been declared lost', async () => {
    const clock = new VirtualClock();
    let certain = false;
    const { writer, records, stream } = makeWriter(clock, { certain: () => certain });
    writer.put('s', () => bytes('v'));
    writer.publish('s', bytes('opened'), false);
    await clock.advance(10_000);
    expect(await records.entries()).toEqual([]);
    expect((await stream.info()).messages).toBe(0);
    certain = true;
    await clock.advance(1_000);
    expect(await records.entries()).toHaveLength(1);
    expect((await stream.info()).messages).toBe(1);
    certain = false;
    writer.publish('s', bytes('closed'), true);
    writer.remove('s');
    writer.abandon();
    certain = true;
    await clock.advance(1_000);
    expect((await stream.info()).messages).toBe(1);
  });

  test('what the bus will never take is dropped, counted, and holds nothing up', async () => {
    const clock = new VirtualClock();
    const { writer, counters, stream, records } = makeWriter(clock);
    const publish = stream.publish.bind(stream);
    stream.publish = (subject, payload, options) =>
      payload.length > 100 ? Promise.reject(new Error('maximum payload exceeded')) : publish(subject, payload, options);
    writer.put('s', () => bytes('v'));
    writer.publish('s', new Uint8Array(200), false);
    writer.publish('s', bytes('next'), false);
    await clock.advance(1_000);
    expect((await storedEvents(stream)).get('s')).toEqual(['next']);
    expect(await records.entries()).toHaveLength(1);
    expect(counters).toMatchObject({ eventsDropped: 1, eventsPublished: 1, writeFailures: 1 });
  });

  test('a record the bus will never remove is let go, and holds nothing up', async () => {
    const clock = new VirtualClock();
    const { writer, counters, records } = makeWriter(clock);
    let refusals = 0;
    records.delete = () => {
      refusals++;
      return Promise.reject(new ServiceError('PERMISSION_DENIED', 'BUS_PERMISSION', 'no'));
    };
    writer.put('s', () => bytes('v'));
    await clock.advance(1_000);
    writer.remove('s');
    await clock.advance(10_000);
    expect(refusals).toBe(1);
    expect(writer.left).toEqual({ records: 0, removals: 0, events: 0 });
    expect(counters).toMatchObject({ recordsRemoved: 0, writeFailures: 1 });
  });

  test('a record the bus will never take is tried once for each change, logged once, and holds nothing up', async () => {
    const clock = new VirtualClock();
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (_: object, message: string) => void errors.push(message) };
    const { writer, counters, stream, records } = makeWriter(clock, { logger });
    const put = records.put.bind(records);
    records.put = (key, value) =>
      value.length > 100 ? Promise.reject(new Error('maximum payload exceeded')) : put(key, value);
    let record = new Uint8Array(200);
    writer.put('s', () => record);
    writer.publish('s', bytes('opened'), false);
    await clock.advance(10_000);
    await writer.flush();
    expect(counters).toMatchObject({ writeFailures: 1, recordsWritten: 0, eventsPublished: 1 });
    writer.put('s', () => record);
    await clock.advance(10_000);
    expect(counters.writeFailures).toBe(2);
    expect(errors).toHaveLength(1);
    record = new Uint8Array(50);
    writer.put('s', () => record);
    await clock.advance(1_000);
    expect(await records.entries()).toHaveLength(1);
    expect(writer.pending('s')).toBe(false);
    expect((await storedEvents(stream)).get('s')).toEqual(['opened']);
    writer.stop();
  });
});
