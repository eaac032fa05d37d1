import { describe, expect, test } from '@jest/globals';
import { IdleWatch, type IdleFinding } from './idle-watch.ts';

const S = 1_000_000;
const remote = { w0: 0, w1: 0, w2: 0xffff, w3: 1, port: 4000 };
const settings = {
  remoteRtp: remote,
  receives: true,
  rtpTimeoutMs: 20_000,
  noRemoteTimeoutMs: 3_600_000,
  holdTimeoutMs: 7_200_000,
};

/** Sleeps from deadline to deadline until `untilUs`, as the session does; returns what was found and when, in seconds. */
const run = (watch: IdleWatch, lastPacketUs: number, untilUs: number): [number, IdleFinding][] => {
  const found: [number, IdleFinding][] = [];
  while (watch.dueUs <= untilUs) {
    const atUs = watch.dueUs;
    const finding = watch.check(lastPacketUs, atUs);
    if (finding) found.push([atUs / S, finding]);
    else expect(watch.dueUs).toBeGreaterThan(atUs);
  }
  return found;
};

describe('IdleWatch', () => {
  test('reports silence after 5 s and gives up after 20 s, once', () => {
    expect(run(new IdleWatch(settings, 0), -Infinity, 100_000 * S)).toEqual([
      [5, { kind: 'silent', silentMs: 5000 }],
      [20, { kind: 'expired', rule: 'rtp', silentMs: 20_000 }],
    ]);
  });

  test('counts from the last packet', () => {
    expect(run(new IdleWatch(settings, 0), 7 * S, 100 * S).at(-1)).toEqual([
      27,
      { kind: 'expired', rule: 'rtp', silentMs: 20_000 },
    ]);
  });

  test('waits an hour for a remote, two hours on hold', () => {
    expect(run(new IdleWatch({ ...settings, remoteRtp: null }, 0), -Infinity, 1e5 * S)).toEqual([
      [3600, { kind: 'expired', rule: 'no-remote', silentMs: 3_600_000 }],
    ]);
    expect(run(new IdleWatch({ ...settings, receives: false }, 0), -Infinity, 1e5 * S)).toEqual([
      [7200, { kind: 'expired', rule: 'hold', silentMs: 7_200_000 }],
    ]);
  });

  test('a call that comes back from hold has its full time again', () => {
    const watch = new IdleWatch({ ...settings, receives: false }, 0);
    watch.configure(settings, false, 600 * S);
    expect(run(watch, 1 * S, 1e5 * S).at(-1)?.[0]).toBe(620);
  });

  test('media without a signalled remote counts as a peer', () => {
    const watch = new IdleWatch({ ...settings, remoteRtp: null }, 0);
    watch.configure({ ...settings, remoteRtp: null }, true, 10 * S);
    expect(run(watch, 10 * S, 1e5 * S).at(-1)?.[0]).toBe(30);
  });

  test('0 means never', () => {
    const watch = new IdleWatch({ ...settings, rtpTimeoutMs: 0 }, 0);
    expect(run(watch, -Infinity, 1e9 * S)).toEqual([[5, { kind: 'silent', silentMs: 5000 }]]);
    expect(watch.dueUs).toBe(Infinity);
  });
});
