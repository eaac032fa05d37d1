import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EmbeddedBus } from '../bus/embedded-bus.ts';
import { startPhone, textCodec } from '../../test/support/test-fleet.ts';
import { sessionBucket } from '../names.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { sortPaced } from './paced.ts';

const SESSIONS = 10_000;

describe('a directory of many', () => {
  /** A phone whose fleet has sessions of another instance, and how many records it decodes. */
  const start = async () => {
    const clock = new VirtualClock();
    const bus = new EmbeddedBus({ clock });
    const records = bus.kv(sessionBucket('phone'), { ttlMs: 0 });
    for (let i = 0; i < SESSIONS; i++) await records.put(`other.ch_other_${i}`, new TextEncoder().encode(`r${i}`));
    const decoded = { total: 0, inTurn: 0, mostInTurn: 0 };
    const record = {
      encode: textCodec.encode,
      decode: (bytes: Uint8Array): string => {
        decoded.total++;
        decoded.mostInTurn = Math.max(decoded.mostInTurn, ++decoded.inTurn);
        return textCodec.decode(bytes);
      },
    };
    const phone = await startPhone(bus, clock, { record });
    return { directory: phone.plane.directory, decoded, close: () => bus.close() };
  };

  test('others have their turn while it is listed', async () => {
    const { directory, decoded, close } = await start();
    let listed = false;
    const tick = (): void => {
      decoded.inTurn = 0;
      if (!listed) setImmediate(tick);
    };
    tick();
    const entries = await directory.list();
    listed = true;
    expect(entries).toHaveLength(SESSIONS);
    expect(entries.map(({ sessionId }) => sessionId)).toEqual(entries.map(({ sessionId }) => sessionId).sort());
    expect(decoded.mostInTurn).toBeLessThan(1_000);
    await close();
  });

  test('a page costs no more than a page', async () => {
    const { directory, decoded, close } = await start();
    const page: string[] = [];
    for await (const { sessionId, record } of directory.walk('ch_other_500')) {
      page.push(`${sessionId} ${record}`);
      if (page.length === 3) break;
    }
    expect(page).toEqual(['ch_other_5000 r5000', 'ch_other_5001 r5001', 'ch_other_5002 r5002']);
    expect(decoded.total).toBe(3);
    await close();
  });

  test('sorts as toSorted does', async () => {
    const numbers = fc.array(fc.integer(), { minLength: 3_000, maxLength: 20_000, size: 'max' });
    const ascending = (a: number, b: number): number => a - b;
    const property = fc.asyncProperty(numbers, async (items) => {
      expect(await sortPaced(items, ascending)).toEqual(items.toSorted(ascending));
    });
    await fc.assert(property, { numRuns: 5 });
    expect(await sortPaced([], ascending)).toEqual([]);
  });
});
