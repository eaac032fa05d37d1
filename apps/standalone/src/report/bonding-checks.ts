import type { Check } from './checks.ts';
import type { BondingFacts } from './facts.ts';
import { count, milliseconds } from './numbers.ts';

/** A link that carried less of the stream was not part of it. */
const LEAST_SHARE = 0.1;

/** Everything that must hold for the stream to have come through the death of its first link. */
export function judgeBonding(facts: BondingFacts): Check[] {
  const { sent, played, tooLate, continuityErrors, links, failoverMs, lastToDeadMs, givenToDead, srtLatencyMs } = facts;
  const [dead, ...others] = links;
  const names = others.map(({ name }) => name).join(', ');
  const lost = sent - played;
  const late = tooLate === 0 ? '' : ` and ${count(tooLate)} came too late`;
  const before = links.reduce((sum, { packetsBefore }) => sum + packetsBefore, 0);
  const last =
    lastToDeadMs === undefined ? 'nothing any more' : `its last packet after ${milliseconds(lastToDeadMs, 0)}`;
  return [
    {
      ok: links.every(({ packetsBefore }) => packetsBefore >= LEAST_SHARE * before),
      line: `${dead.name} and ${names} carried the stream together`,
    },
    {
      ok: lost === 0 && tooLate === 0 && sent > 0,
      line: `${count(lost)} of ${count(sent)} packets lost${late}, though ${dead.name} died in the middle without a word`,
    },
    {
      ok: continuityErrors === 0,
      line: `${count(continuityErrors)} continuity errors in the transport stream`,
    },
    {
      // Later than this, what it was given in vain could not be played any more.
      ok: failoverMs !== undefined && (lastToDeadMs ?? 0) <= srtLatencyMs,
      line:
        failoverMs === undefined
          ? `the uplink did not notice that ${dead.name} was dead; it was given ${count(givenToDead)} packets`
          : `${dead.name} got ${last}, ${count(givenToDead)} in vain`,
    },
  ];
}
