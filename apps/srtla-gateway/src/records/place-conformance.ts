import { describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import type { RecordPlace } from './record-store.ts';
import { RecordStore } from './record-store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && Buffer.from(value).toString();
const log = pino({ level: 'silent' });

/** What a store of records must do, wherever they are. `open` gives the place of a node; two of one name share what is there. */
export function placeConformance(
  name: string,
  setUp: (stack: AsyncDisposableStack) => Promise<(node: string) => RecordPlace>,
): void {
  describe(`records ${name}`, () => {
    test('what one instance wrote, the next one on the node reads, and no other', async () => {
      await using stack = new AsyncDisposableStack();
      const open = await setUp(stack);
      const first = new RecordStore(open('node-a'), log);
      expect(await first.load()).toEqual(new Map());
      first.put('main.group.1', bytes('one'));
      first.put('main.group.2', bytes('two'));
      first.put('main.group.1', bytes('one again'));
      first.put('main.group.3', bytes('7'.repeat(300_000)));
      first.put('main-2.group.1', bytes('of another'));
      first.remove('main.group.2');
      first.remove('never.there');
      await first.stop();
      first.put('main.group.4', bytes('too late'));
      const found = await new RecordStore(open('node-a'), log).load();
      expect([...found.keys()].sort()).toEqual(['main-2.group.1', 'main.group.1', 'main.group.3']);
      expect([...(await new RecordStore(open('node-a'), log).load('main-2.')).keys()]).toEqual(['main-2.group.1']);
      expect(text(found.get('main.group.1'))).toBe('one again');
      expect(text(found.get('main.group.3'))).toBe('7'.repeat(300_000));
      expect((await new RecordStore(open('node-b'), log).load()).size).toBe(0);
      expect(first.failures).toBe(0);
    });

    test('a key that is removed and written again is there', async () => {
      await using stack = new AsyncDisposableStack();
      const open = await setUp(stack);
      const store = new RecordStore(open('node-a'), log);
      store.put('x', bytes('1'));
      await store.flush();
      store.remove('x');
      store.put('x', bytes('2'));
      await store.flush();
      expect(text((await store.load()).get('x'))).toBe('2');
      store.remove('x');
      await store.flush();
      expect((await store.load()).size).toBe(0);
    });
  });
}
