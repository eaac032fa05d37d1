import { afterEach, describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { pino } from 'pino';
import type { Claim } from './owner-claims.ts';
import { CLAIM_TTL_MS, OwnerClaims, claimKey } from './owner-claims.ts';

const GROUP = 'ab'.repeat(256);
const OTHER = 'cd'.repeat(256);
const log = pino({ level: 'silent' });

describe('claims of groups', () => {
  const stack: Disposable[] = [];
  const bus = new EmbeddedBus();
  let buckets = 0;
  afterEach(() => {
    for (const claims of stack.splice(0)) claims[Symbol.dispose]();
  });

  /** Instances that share a bucket. */
  function fleet(...instanceIds: string[]): OwnerClaims[] {
    const kv = bus.kv(`owners_${(buckets += 1)}`, { ttlMs: CLAIM_TTL_MS });
    return instanceIds.map((instanceId) => {
      const claims = new OwnerClaims({ kv, instanceId, log });
      stack.push(claims);
      return claims;
    });
  }

  test('of several takers one succeeds', async () => {
    const all = fleet('a', 'b', 'c');
    const outcomes = await Promise.all(all.map((claims) => claims.take(GROUP, undefined)));
    expect(outcomes.filter(Boolean)).toHaveLength(1);
    expect(await all[0].owner(GROUP)).toBe(['a', 'b', 'c'][outcomes.indexOf(true)]);
    const again = await Promise.all(all.map((claims) => claims.take(GROUP, ['a', 'b', 'c'][outcomes.indexOf(true)])));
    expect(again.filter(Boolean)).toHaveLength(1);
    expect(await all[0].owner(OTHER)).toBeUndefined();
  });

  test('are not taken from somebody else than it was thought', async () => {
    const [a, b] = fleet('a', 'b');
    await a.take(GROUP, undefined);
    expect(await b.take(GROUP, 'dead')).toBe(false);
    expect(await b.take(OTHER, 'dead')).toBe(false);
  });

  test('of the last instance of a node go over to the next one, unless another has adopted the group', async () => {
    const [next, another] = fleet('next', 'another');
    expect(await next.resume(GROUP, 'last')).toBe(true);
    expect(await next.resume(GROUP, 'last')).toBe(true);
    expect(await another.resume(GROUP, 'next')).toBe(true);
    expect(await next.resume(GROUP, 'last')).toBe(false);
  });

  test('go with their groups, unless they are left for the next one', async () => {
    const [a, b] = fleet('a', 'b');
    await a.take(GROUP, undefined);
    await b.take(OTHER, undefined);
    b.release(OTHER, true);
    a.release(OTHER, false);
    expect(await b.owner(OTHER)).toBe('b');
    const gone = new Promise<void>((resolve) => {
      const look = (): void => void a.owner(GROUP).then((owner) => (owner === undefined ? resolve() : look()));
      a.release(GROUP, false);
      look();
    });
    await gone;
  });

  test('are told to all who follow, and taken back by who insists', async () => {
    const [a, b] = fleet('a', 'b');
    const heard = new Promise<string>((resolve) => {
      a.onClaim = (key, { instanceId }) => {
        if (key === claimKey(GROUP) && instanceId === 'b') resolve(instanceId);
      };
    });
    await b.take(GROUP, undefined);
    expect(await heard).toBe('b');
    const lost = new Promise<Claim>((resolve) => {
      b.onClaim = (_, claim) => {
        if (claim.instanceId === 'a') resolve(claim);
      };
    });
    await a.insist(GROUP, 1_800_000_000_000);
    expect(await lost).toEqual({ instanceId: 'a', streamUnixMs: 1_800_000_000_000 });
    expect(await b.owner(GROUP)).toBe('a');
  });
});
