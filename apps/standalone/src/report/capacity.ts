import { about, count } from './numbers.ts';
import type { CapacityFacts } from './facts.ts';

/** What a G.711 channel with 20 ms packets receives, and sends, each second. */
const PACKETS_PER_SECOND = 50;
/** Share of a core that media may take: the rest is for bursts and for what else runs there. */
const USABLE_SHARE = 0.7;

export interface CapacityEstimate {
  readonly channelsByCpu: number;
  /** Whatever binds first. */
  readonly channels: number;
}

export function estimateCapacity(facts: CapacityFacts): CapacityEstimate {
  const perThread = (USABLE_SHARE * 1_000_000) / (PACKETS_PER_SECOND * facts.cpuMicrosPerPacket);
  const channelsByCpu = perThread * Math.min(facts.mediaThreads, facts.cores);
  return { channelsByCpu, channels: Math.min(channelsByCpu, facts.sessionLimit) };
}

export function renderCapacity(facts: CapacityFacts): string[] {
  const { channels, channelsByCpu } = estimateCapacity(facts);
  const threads = facts.mediaThreads === 1 ? 'one media thread' : `${facts.mediaThreads} media threads`;
  const lines = [
    `  at least about ${about(channels)} channels of G.711 would fit on this machine as it is now.`,
    `  How: ${count(facts.packets)} packets through ${facts.channels} echoing channels took ${facts.cpuMicrosPerPacket.toFixed(1)} µs of CPU each`,
    `  (in, out and the kernel's part); ${threads}, used to ${USABLE_SHARE * 100} % of a core. Under more load a packet takes less,`,
    '  for one wake-up then serves several; `npm run loadtest -- rtp-capacity` measures that.',
  ];
  if (facts.lost > 0) lines.push(`  ${count(facts.lost)} of them were lost: something else keeps this machine busy.`);
  if (channelsByCpu > facts.sessionLimit) {
    const limit = count(facts.sessionLimit);
    lines.push(
      `  CPU would do for about ${about(channelsByCpu)}; ports, open files or configuration set the limit of ${limit}.`,
    );
  }
  return lines;
}
