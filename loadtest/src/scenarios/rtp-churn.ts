import { CloseChannelRequest, OpenChannelRequest, RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { EngineKind } from '../engines/engine.ts';
import { GrpcConnection } from '../engines/grpc-connection.ts';
import { RtpChannelProcess, phoneSettings } from '../engines/rtp-channel.ts';
import { CpuMeter, cpuPercentDuring } from '../measure/cpu-meter.ts';
import { Histogram } from '../measure/histogram.ts';
import { makeResult } from '../report/result.ts';
import type { Result } from '../report/result.ts';
import { closedLoop } from './closed-loop.ts';
import type { ScenarioOptions } from './scenario.ts';

const DISCARD_PORT = 9;
const WARM_UP_SECONDS = 2;
const EMPTY_MS = 1000;
const CALL_WITHIN_MS = 10_000;

/** Channels opened and closed over one gRPC connection, `channels` of them at once. The client runs in this process. */
export async function rtpChurn(kind: EngineKind, options: ScenarioOptions): Promise<Result> {
  const { channels, seconds, threads, progress } = options;
  await using engine = await RtpChannelProcess.start({ threads, memoryProbe: false });
  using connection = await GrpcConnection.open(engine.grpcAddress, CALL_WITHIN_MS);
  const { fullName, methods } = RtpChannelServiceDefinition;
  const openChannel = connection.unary(fullName, methods.openChannel);
  const closeChannel = connection.unary(fullName, methods.closeChannel);
  const openRequest = OpenChannelRequest.fromPartial({
    settings: phoneSettings(DISCARD_PORT, DISCARD_PORT + 1, false),
  });
  let opens = new Histogram();
  const openAndClose = async (): Promise<void> => {
    const fromMs = performance.now();
    const { channel } = await openChannel(openRequest);
    opens.record((performance.now() - fromMs) * 1000);
    if (channel === undefined) throw new Error('OpenChannel answered no channel');
    await closeChannel(CloseChannelRequest.fromPartial({ channelId: channel.channelId }));
  };
  const empty = await cpuPercentDuring(engine.pid, EMPTY_MS);
  progress('warming up');
  await closedLoop(channels, WARM_UP_SECONDS, openAndClose);
  opens = new Histogram();
  progress(`opening and closing, ${channels} at once`);
  const meter = new CpuMeter(engine.pid);
  const { latency, count, seconds: took } = await closedLoop(channels, seconds, openAndClose);
  const cpu = meter.read();
  return makeResult(
    { scenario: 'rtp-churn', engine: kind.name, channels, seconds },
    {
      latencyMs: latency.toMs(),
      cpuPercentOfCore: { total: cpu.percentOfCore, aboveEmpty: cpu.percentOfCore - empty },
      details: {
        channelsPerSecond: count / took,
        openP50Ms: opens.toMs().p50,
        openP99Ms: opens.toMs().p99,
        cpuMicrosPerChannel: (cpu.seconds * 1e6) / count,
      },
    },
  );
}
