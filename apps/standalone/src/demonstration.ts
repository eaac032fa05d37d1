import { availableParallelism } from 'node:os';
import { FleetServiceDefinition, RtpChannelServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { RunningService } from '@mediaplane/service';
import { clientOptions } from './client-options.ts';
import { measureBurst } from './demo/burst.ts';
import { placeCall } from './demo/demo-call.ts';
import { inWords } from './errors-in-words.ts';
import type { Progress } from './progress.ts';
import { renderCall } from './report/call-report.ts';
import { judgeCall } from './report/checks.ts';

export interface Demonstration {
  readonly ok: boolean;
  /** The report, or what broke it off. */
  readonly lines: readonly string[];
}

/**
 * Places a call through rtp-channel, loads it for a moment, and tells what came of it. `callId` is the label of its channels
 * and the folder of its recordings; `tlsCa`: PEM file of the authority of its certificate, if not everybody knows it. Never rejects.
 */
export async function demonstrateCall(
  service: RunningService,
  recordingsFolder: string,
  callId: string,
  tlsCa: string | undefined,
  progress: Progress,
): Promise<Demonstration> {
  const { grpc, media } = service.config;
  try {
    const options = await clientOptions(grpc, tlsCa);
    using client = createClient(RtpChannelServiceDefinition, service.grpcAddress, options);
    using fleet = createClient(FleetServiceDefinition, service.grpcAddress, options);
    const facts = await placeCall({ client, recordingsFolder, callId, progress });
    progress.step('a burst through 96 echoing channels, for the estimate');
    const burst = await measureBurst(client, `${callId}-burst`);
    const { instance } = await fleet.getInstance({ instanceId: service.instanceId });
    const checks = judgeCall(facts);
    const cores = availableParallelism();
    const capacity = {
      ...burst,
      cores,
      mediaThreads: media.threads === 0 ? Math.max(cores - 1, 1) : media.threads,
      sessionLimit: instance?.capacity?.maxSessions ?? Infinity,
    };
    return { ok: checks.every(({ ok }) => ok), lines: renderCall(facts, checks, capacity) };
  } catch (error) {
    return { ok: false, lines: [`  ✗ the call broke off: ${inWords(error)}`] };
  }
}

/** `call-20260102-030405-678`: sorts by time, and no two calls of one folder have the same. */
export function callName(now: Date): string {
  const digits = now.toISOString().replaceAll(/\D/g, '');
  return `call-${digits.slice(0, 8)}-${digits.slice(8, 14)}-${digits.slice(14)}`;
}
