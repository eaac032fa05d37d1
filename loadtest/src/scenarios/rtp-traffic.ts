import type { EngineKind } from '../engines/engine.ts';
import { runTraffic } from '../measure/traffic-run.ts';
import type { Result } from '../report/result.ts';
import type { ScenarioOptions } from './scenario.ts';

/** Every channel echoes the 50 packets a second of its phone. */
export function rtpEcho(kind: EngineKind, { channels, seconds, threads, progress }: ScenarioOptions): Promise<Result> {
  progress(`${channels} echoing channels`);
  return runTraffic(kind, { scenario: 'rtp-echo', mode: 'echo', channels, seconds, threads });
}

/** Calls of two bridged channels: phone A sends, phone B echoes, A measures the way there and back. */
export function rtpRelay(kind: EngineKind, { channels, seconds, threads, progress }: ScenarioOptions): Promise<Result> {
  progress(`${channels / 2} calls of two channels`);
  return runTraffic(kind, { scenario: 'rtp-relay', mode: 'relay', channels, seconds, threads });
}
