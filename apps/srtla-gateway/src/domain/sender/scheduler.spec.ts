import { describe, expect, test } from '@jest/globals';
import { LINK_DEFAULTS } from './link-settings.ts';
import type { LinkSettings } from './link-settings.ts';
import { LinkTable } from './link-table.ts';
import type { SenderLink } from './link.ts';
import { Scheduler, priorityOf } from './scheduler.ts';
import { SendLog } from './send-log.ts';

function links(...settings: Partial<LinkSettings>[]) {
  const table = new LinkTable();
  const log = new SendLog(1024, 16);
  for (const [index, each] of settings.entries()) table.add(index, { ...LINK_DEFAULTS, ...each }).state = 'live';
  const scheduler = new Scheduler(table, log);
  table.update();
  scheduler.update();
  let sequence = 0;
  let nowUs = 0;
  /** Sends so many packets, 1 ms apart. Returns how many went by which link. */
  const send = (packets: number, avoided = 0): number[] => {
    const counts = settings.map(() => 0);
    for (let i = 0; i < packets; i += 1) {
      nowUs += 1000;
      const link = scheduler.select(avoided, nowUs);
      if (link === undefined) continue;
      log.sent(sequence, link.index, nowUs, link.onSent(1250, nowUs));
      sequence += 1;
      counts[link.index] += 1;
    }
    return counts;
  };
  return { table, log, scheduler, send, acknowledge: () => log.acknowledgeBelow(sequence) };
}

describe('a packet goes', () => {
  test('to the link with the highest floor(window / (in flight + 1)), of equals to the first', () => {
    const { table, send, scheduler } = links({}, {}, {});
    expect(send(7)).toEqual([3, 2, 2]);
    table.all[2].window = 60_000;
    expect(send(6)).toEqual([0, 0, 6]);
    // 20,000 / 4, 20,000 / 3 and 60,000 / 9.
    expect(scheduler.select(0, 0)?.index).toBe(1);
  });

  test('to none where none is live, or all have come to their caps', () => {
    const { table, scheduler } = links({}, {});
    table.all[0].state = 'joining';
    table.all[1].capReached = true;
    table.update();
    expect(scheduler.select(0, 0)).toBeUndefined();
  });

  test('to a link that is suspect or to be avoided only if there is no other, rather to the one to be avoided', () => {
    const { table, scheduler } = links({}, {});
    expect(scheduler.select(0b01, 0)?.index).toBe(1);
    expect(scheduler.select(0b11, 0)?.index).toBe(0);
    table.all[1].suspect = true;
    expect([scheduler.select(0, 0)?.index, scheduler.select(0b01, 0)?.index]).toEqual([0, 0]);
    table.all[0].suspect = true;
    expect(scheduler.select(0b01, 0)?.index).toBe(1);
  });

  test('by the cheapest link while that has room, then by the next', () => {
    const { send, acknowledge } = links({ cost: 5 }, { cost: 0 }, { cost: 1 });
    expect(send(20)).toEqual([0, 20, 0]);
    expect(send(20)).toEqual([0, 0, 20]);
    acknowledge();
    expect(send(10)).toEqual([0, 10, 0]);
  });

  test('not by a cheap link that is weak', () => {
    const { table, send } = links({ cost: 1 }, { cost: 0 });
    table.all[1].weak = 'rtt';
    expect(send(10)).toEqual([10, 0]);
  });

  test('no more by a link than it may carry, unless there is no other', () => {
    const { send, acknowledge } = links({ maxBitrateBps: 1e6 }, {});
    let first = 0;
    for (let i = 0; i < 100; i += 1) {
      first += send(10)[0];
      acknowledge();
    }
    // 1000 packets of 10,000 bits in a second.
    expect(first).toBeGreaterThanOrEqual(99);
    expect(first).toBeLessThan(105);
    expect(links({ maxBitrateBps: 1e6 }).send(200)).toEqual([200]);
  });

  test('by the link that had the last one, until another is better by the hysteresis', () => {
    const { scheduler, table } = links({}, {});
    scheduler.hysteresis = 1.1;
    scheduler.select(0, 0);
    table.all[1].window = 21_999;
    expect(scheduler.select(0, 1)?.index).toBe(0);
    table.all[1].window = 22_000;
    expect(scheduler.select(0, 2)?.index).toBe(1);
  });

  describe('with others of its pass', () => {
    /** By which links `packets` of one pass go, with `inFlight` packets under way on each of two before. */
    const pass = (inFlight: number, packets: number, avoided = 0): string => {
      const { table, log, scheduler } = links({}, {});
      let sequence = 0;
      const give = (link: SenderLink): void => void log.sent(sequence++, link.index, 1, link.onSent(1250, 1));
      for (let i = 0; i < inFlight; i += 1) for (const link of table.all) give(link);
      return Array.from({ length: packets }, () => {
        const link = scheduler.select(avoided, 1);
        if (link !== undefined) give(link);
        return link?.index;
      }).join('');
    };

    test('eight in a row by one link, then by the next', () => {
      expect(pass(20, 30)).toBe('00000000' + '11111111' + '00000000' + '111111');
    });

    test('fewer while little is under way: another soon has twice the room', () => {
      expect(pass(0, 6)).toBe('011100');
      expect(pass(2, 12)).toBe('000111111110');
    });

    test('never by one to be avoided', () => {
      expect(pass(20, 4, 0b01)).toBe('1111');
    });
  });
});

test('a priority counts in full from a window of 20 packets on, and not at all below 10', () => {
  const { table } = links({ priority: 3 }, { priority: 0.5 });
  const [high, low] = table.all;
  const at = (window: number): number[] => {
    high.window = low.window = window;
    return [priorityOf(high), priorityOf(low)];
  };
  expect([at(60_000), at(20_000), at(15_000), at(10_000), at(1000)]).toEqual([
    [3, 0.5],
    [3, 0.5],
    [2, 0.75],
    [1, 1],
    [1, 1],
  ]);
});
