import { describe, expect, test } from '@jest/globals';
import { OutcomeWatch } from './outcome.ts';
import { viewOf } from './spec-view.ts';

const OPTIONS = { registerTimeoutMs: 30_000, giveUpMs: 10_000 };
const DOWN = viewOf([{ state: 'joining' }, {}]);
const UP = viewOf([{ state: 'closed' }, { state: 'live' }]);

describe('when a sender ends', () => {
  test('after no link came up in time', () => {
    const watch = new OutcomeWatch(OPTIONS, 1000);
    expect(watch.onStatistics(DOWN, 30_999)).toBeNull();
    expect(watch.onStatistics(DOWN, 31_000)).toEqual({ code: 3, reason: 'no link came up for 30 s' });
  });

  test('after all links were down for long', () => {
    const watch = new OutcomeWatch(OPTIONS, 0);
    expect(watch.onStatistics(UP, 29_000)).toBeNull();
    expect(watch.onStatistics(DOWN, 38_999)).toBeNull();
    expect(watch.onStatistics(DOWN, 39_000)).toEqual({ code: 4, reason: 'all links were down for 10 s' });
  });

  test('never, where no time is set', () => {
    const watch = new OutcomeWatch({ registerTimeoutMs: 0, giveUpMs: 0 }, 0);
    expect(watch.onStatistics(DOWN, 1e9)).toBeNull();
    watch.onLinkUp();
    expect(watch.onStatistics(DOWN, 2e9)).toBeNull();
  });

  test('by a signal: it matters whether it ever worked, if only for a moment', () => {
    const watch = new OutcomeWatch(OPTIONS, 0);
    expect(watch.onSignal('SIGINT')).toEqual({ code: 3, reason: 'SIGINT, before any link was up' });
    watch.onLinkUp();
    expect(watch.onSignal('SIGTERM')).toEqual({ code: 0, reason: 'SIGTERM' });
  });
});
