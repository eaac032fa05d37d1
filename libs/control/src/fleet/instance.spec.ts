import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { FleetView } from './fleet-view.ts';
import { instanceCodec } from './instance.ts';

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

describe('heartbeats of other versions', () => {
  test('unknown members are ignored, missing ones make the instance unfit for placement, not for listing', () => {
    const newer = instanceCodec.decode(
      json({
        instanceId: 'i1',
        service: 's',
        state: 'SERVING',
        capacity: { limit: 5, used: 1, soft: 4 },
        mood: 'good',
        load: 0.2,
      }),
    );
    expect(newer).toMatchObject({ instanceId: 'i1', state: 'SERVING', capacity: { limit: 5, used: 1 }, load: 0.2 });
    const older = instanceCodec.decode(json({ instanceId: 'i1', service: 's' }));
    expect(older).toMatchObject({ state: 'DRAINING', capacity: { limit: 0, used: 0 }, load: 1 });
    expect(instanceCodec.decode(json({ instanceId: 'i1', state: 'HIBERNATING' })).state).toBe('DRAINING');
  });

  test('anything may arrive on the fleet subject', async () => {
    const clock = new VirtualClock();
    const bus = new EmbeddedBus({ clock });
    const view = new FleetView(bus, clock);
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        async (payload) => {
          bus.publish('mp.v1.phone.fleet', payload);
          await clock.advance(0);
          expect(view.list('phone')).toEqual([]);
        },
      ),
    );
  });
});
