import type { BondingEngine } from '../engines/bonding-engine.ts';
import type { BondingEnds, BondingOptions } from '../measure/bonding-run.ts';
import { runBonding } from '../measure/bonding-run.ts';
import type { Result } from '../report/result.ts';

export type BondingScenarioName = 'srtla-receive' | 'srtla-send' | 'srtla-bonded';

const ENDS: Readonly<Record<BondingScenarioName, BondingEnds>> = {
  'srtla-receive': 'receiver',
  'srtla-send': 'sender',
  'srtla-bonded': 'both',
};

/** SRT data by bonded links: encoder -> sender -> links -> receiver -> SRT server, of which one end or both are the engine's. */
export function srtla(
  scenario: BondingScenarioName,
  engine: BondingEngine,
  options: Omit<BondingOptions, 'scenario' | 'ends'> & { progress(text: string): void },
): Promise<Result> {
  const { progress, ...rest } = options;
  const { groups, links, packetsPerSecond, pace } = rest;
  const streams = groups === 1 ? 'a stream' : `${groups} streams`;
  progress(`${streams} of ${packetsPerSecond} packets a second by ${links} links, ${pace}`);
  return runBonding(engine, { ...rest, scenario, ends: ENDS[scenario] });
}
