import { beforeEach, describe, expect, test } from '@jest/globals';
import { ReceiverCounters } from '../domain/receiver/receiver-parts.ts';
import { FloodNotes } from './flood-notes.ts';

const MAIN = { id: 'ls_one_main', name: 'main' };
const SPARE = { id: 'ls_one_spare', name: 'spare' };
const MINUTE_S = 60;

type Counts = Partial<Record<keyof ReceiverCounters, number>>;

describe('floods', () => {
  let lines: { level: string; atS: number; [field: string]: unknown }[];
  let notes: FloodNotes;
  let nowS: number;
  let counters: ReceiverCounters;
  beforeEach(() => {
    const line = (level: string) => (fields: object) => void lines.push({ level, atS: nowS, ...fields });
    lines = [];
    notes = new FloodNotes({ info: line('info'), warn: line('warn'), error: line('error') });
    nowS = 0;
    counters = new ReceiverCounters();
    notes.read(MAIN, { sampledUs: 0, counters });
  });

  function pass(seconds: number, perSecond: Counts, listener = MAIN): void {
    for (let s = 0; s < seconds; s++) {
      nowS += 1;
      counters = Object.assign(new ReceiverCounters(), counters);
      for (const [counter, value] of Object.entries(perSecond)) counters[counter as keyof ReceiverCounters] += value;
      notes.read(listener, { sampledUs: nowS * 1e6, counters });
    }
  }

  test('one line when it begins and one when it was quiet for a minute, however long it lasts', () => {
    pass(10, { rateLimited: 100 });
    expect(lines).toEqual([]);
    pass(2 * MINUTE_S, { rateLimited: 5000, strangers: 3 });
    const fields = { listenerId: MAIN.id, name: 'main', cause: 'rate_limited' };
    expect(lines).toEqual([{ level: 'warn', atS: 11, ...fields, perSecond: 5000 }]);
    pass(10 * MINUTE_S, {});
    const over = { ...fields, datagrams: 600_000, seconds: 119 };
    expect(lines.slice(1)).toEqual([{ level: 'info', atS: 190, ...over }]);
  });

  test('one that comes and goes is one flood', () => {
    for (let i = 0; i < 20; i++) {
      pass(1, { strangers: 1000 });
      pass(MINUTE_S - 1, {});
    }
    expect(lines).toHaveLength(1);
    pass(1, {});
    expect(lines).toMatchObject([{ level: 'warn' }, { level: 'info', datagrams: 20_000 }]);
  });

  test('one that begins again as soon as it was over waits for its minute', () => {
    pass(1, { malformed: 101 });
    pass(MINUTE_S, {});
    pass(MINUTE_S + 5, { malformed: 700 });
    expect(lines.map(({ level, atS }) => [level, atS])).toEqual([
      ['warn', 1],
      ['info', 61],
      ['warn', 121],
    ]);
  });

  test('each cause and each listener has its own', () => {
    pass(2, { unknownGroups: 200, rateLimited: 300 });
    const other = new ReceiverCounters();
    notes.read(SPARE, { sampledUs: nowS * 1e6, counters: other });
    nowS += 1;
    notes.read(SPARE, { sampledUs: nowS * 1e6, counters: Object.assign(new ReceiverCounters(), { full: 150 }) });
    expect(lines.map(({ name, cause, perSecond }) => [name, cause, perSecond])).toEqual([
      ['main', 'unknown_group', 200],
      ['main', 'rate_limited', 300],
      ['spare', 'full', 150],
    ]);
  });

  test('a media thread that was replaced counts from nothing', () => {
    pass(1, { strangers: 99 });
    counters = new ReceiverCounters();
    pass(1, { strangers: 50 });
    expect(lines).toEqual([]);
    pass(1, { strangers: 500 });
    expect(lines).toMatchObject([{ perSecond: 500 }]);
  });
});
