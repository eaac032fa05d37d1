import { describe, expect, test } from '@jest/globals';
import { goodBonding } from '../../test/support/example-facts.ts';
import { judgeBonding } from './bonding-checks.ts';
import type { BondingFacts } from './facts.ts';

const failures = (facts: BondingFacts): string[] =>
  judgeBonding(facts)
    .filter(({ ok }) => !ok)
    .map(({ line }) => line);

test('a stream that came through passes every check', () => {
  expect(failures(goodBonding())).toEqual([]);
});

describe('what is wrong is named, and nothing else', () => {
  const [dead, other] = goodBonding().links;
  test.each<[string, Partial<BondingFacts>, RegExp]>([
    ['a packet that was not played', { played: 3899 }, /^1 of 3,900 packets lost, though modem-1 died/],
    ['packets that came too late', { tooLate: 5 }, /^0 of 3,900 packets lost and 5 came too late, though/],
    ['a stream that never began', { sent: 0, played: 0 }, /^0 of 0 packets lost/],
    ['a damaged transport stream', { continuityErrors: 7 }, /^7 continuity errors/],
    ['a link that carried nothing before', { links: [{ ...dead, packetsBefore: 3 }, other] }, /carried .* together$/],
    ['a death that nobody noticed', { failoverMs: undefined, givenToDead: 1050 }, /did not notice .* 1,050 packets$/],
    ['one that was noticed too late', { lastToDeadMs: 501 }, /its last packet after 501 ms/],
  ])('%s', (_, change, line) => {
    expect(failures({ ...goodBonding(), ...change })).toEqual([expect.stringMatching(line)]);
  });
});

test('a dead link that got nothing any more is as it should be', () => {
  expect(judgeBonding({ ...goodBonding(), lastToDeadMs: undefined, givenToDead: 0 })).toContainEqual({
    ok: true,
    line: 'modem-1 got nothing any more, 0 in vain',
  });
});
