import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from './bus/embedded-bus.ts';
import { startPhone } from '../test/support/test-fleet.ts';
import type { Phone } from '../test/support/test-fleet.ts';
import { FaultyBus } from './testing/faulty-bus.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

describe('stop', () => {
  let clock: VirtualClock;
  let bus: EmbeddedBus;
  let link: FaultyBus;
  let phone: Phone;
  let warnings: { fields: object; message: string }[];

  beforeEach(async () => {
    clock = new VirtualClock();
    bus = new EmbeddedBus({ clock });
    link = new FaultyBus(bus);
    warnings = [];
    const warn = (fields: object, message: string): void => void warnings.push({ fields, message });
    phone = await startPhone(link, clock, { logger: { info() {}, warn, error() {} } });
    await clock.advance(10_000);
  });
  afterEach(() => bus.close());

  const open = (): string => {
    const id = phone.plane.newSessionId();
    phone.plane.directory.put(id, 'x');
    phone.plane.events.publish(id, 'opened');
    return id;
  };
  /** Whether the plane has stopped; it goes on stopping. */
  const stop = (): (() => boolean) => {
    let stopped = false;
    void phone.plane.stop().then(() => (stopped = true));
    return () => stopped;
  };

  test('writes what is left', async () => {
    const id = open();
    const stopped = stop();
    await clock.advance(100);
    expect(stopped()).toBe(true);
    expect((await bus.kv('mp_v1_phone_sessions', { ttlMs: 0 }).keys()).map((key) => key.split('.')[1])).toEqual([id]);
    expect(warnings).toEqual([]);
  });

  test('waits 5 s at most for a bus that does not store, and says what is left', async () => {
    open();
    link.refuseStorage();
    const stopped = stop();
    await clock.advance(4_900);
    expect(stopped()).toBe(false);
    await clock.advance(200);
    expect(stopped()).toBe(true);
    expect(warnings).toContainEqual({
      fields: expect.objectContaining({ records: 1, removals: 0, events: 1 }),
      message: 'stopped before all was written to the directory',
    });
  });

  test('what it could not write is a survivor\u2019s to make good', async () => {
    const survivor = await startPhone(bus, clock);
    await clock.advance(10_000);
    const id = open();
    await clock.advance(1_000);
    link.refuseStorage(/sessions|events/);
    phone.close(id);
    const stopped = stop();
    await clock.advance(5_100);
    expect(stopped()).toBe(true);
    await clock.advance(60_000);
    expect(survivor.plane.counters.instancesDeclaredLost).toBe(1);
    expect(await survivor.plane.directory.list()).toEqual([]);
  });

  test('does not wait when this instance was declared lost', async () => {
    const survivor = await startPhone(bus, clock);
    await clock.advance(10_000);
    open();
    link.cut();
    await clock.advance(10_000);
    expect(survivor.plane.counters.instancesDeclaredLost).toBe(1);
    link.mend();
    await clock.advance(1_000);
    expect(phone.plane.state).toBe('DRAINING');
    const stopped = stop();
    await clock.advance(0);
    expect(stopped()).toBe(true);
  });

  test('nor when it learns so while it stops, and closes nothing afterwards', async () => {
    const survivor = await startPhone(bus, clock);
    await clock.advance(10_000);
    open();
    link.cutSilently();
    await clock.advance(10_000);
    expect(survivor.plane.counters.instancesDeclaredLost).toBe(1);
    const stopped = stop();
    await clock.advance(100);
    expect(stopped()).toBe(false);
    link.mend();
    await clock.advance(1_000);
    expect(stopped()).toBe(true);
    await clock.advance(60_000);
    expect(phone.orphaned).toEqual([]);
  });
});
