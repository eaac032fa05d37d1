import { setTimeout as sleep } from 'node:timers/promises';
import { Direction, FleetServiceDefinition } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import { findSystemBinary, startNatsServer } from '@mediaplane/testkit';
import type { EngineKind } from '../engines/engine.ts';
import type { RtpChannelClient } from '../engines/rtp-channel.ts';
import { RtpChannelProcess, phoneSettings } from '../engines/rtp-channel.ts';
import { makeResult } from '../report/result.ts';
import type { Result } from '../report/result.ts';
import { adopt } from '../processes.ts';
import { closedLoop } from './closed-loop.ts';
import type { ScenarioOptions } from './scenario.ts';

const DISCARD_PORT = 9;
/** Of either way, so that what runs on it is compiled. */
const WARM_UP_SECONDS = 4;
const CALL_WITHIN_MS = 5000;
const FLEET_WITHIN_MS = 15_000;
const POLL_MS = 100;

/**
 * Two instances on a real nats-server: UpdateChannel over gRPC through the one for a channel that the other owns, and, to
 * compare, through the owner itself. `channels` commands are under way at once.
 */
export async function busCommand(kind: EngineKind, options: ScenarioOptions): Promise<Result> {
  const { channels: lanes, seconds, threads, progress } = options;
  if (findSystemBinary('nats-server') === null) throw new Error('nats-server is not on this machine');
  await using nats = await startNatsServer();
  using cleanUp = new DisposableStack();
  cleanUp.use(adopt(nats.pid));
  const common = { threads, memoryProbe: false, natsUrl: nats.url };
  await using owner = await RtpChannelProcess.start({ ...common, portMin: 10_000, portMax: 19_999 });
  await using entrance = await RtpChannelProcess.start({ ...common, portMin: 20_000, portMax: 29_999 });
  progress('two instances find each other');
  const ownerId = await instanceIdOf(owner.grpcAddress);
  const channelId = await openOn(ownerId, owner.client);

  const measure = async (client: RtpChannelClient, text: string) => {
    progress(text);
    await closedLoop(lanes, WARM_UP_SECONDS, () => turn(client, channelId));
    return closedLoop(lanes, seconds, () => turn(client, channelId));
  };
  const local = await measure(owner.client, 'commands to the owner itself');
  const remote = await measure(entrance.client, 'commands through the other instance');
  return makeResult(
    { scenario: 'bus-command', engine: kind.name, channels: lanes, seconds },
    {
      latencyMs: remote.latency.toMs(),
      details: {
        commandsPerSecond: remote.count / remote.seconds,
        ownerP50Ms: local.latency.toMs().p50,
        ownerP99Ms: local.latency.toMs().p99,
      },
    },
  );
}

async function turn(client: RtpChannelClient, channelId: string): Promise<void> {
  const request = { channelId, settings: { direction: Direction.SENDRECV }, updateMask: ['direction'] };
  await client.updateChannel(request, { timeoutMs: CALL_WITHIN_MS });
}

/** The instance that serves at `grpcAddress`, once the fleet has two. @throws Error when that takes too long */
async function instanceIdOf(grpcAddress: string): Promise<string> {
  using fleet = createClient(FleetServiceDefinition, grpcAddress);
  for (const deadline = performance.now() + FLEET_WITHIN_MS; performance.now() < deadline; await sleep(POLL_MS)) {
    const { instances } = await fleet.listInstances({}, { timeoutMs: CALL_WITHIN_MS });
    const own = instances.find((instance) => instance.grpcAddress === grpcAddress);
    if (instances.length === 2 && own !== undefined) return own.instanceId;
  }
  throw new Error(`two instances did not find each other within ${FLEET_WITHIN_MS} ms`);
}

/** Placement chooses between the instances, so it may take some turns to get a channel on a given one. */
async function openOn(instanceId: string, client: RtpChannelClient): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const { channel } = await client.openChannel(
      { settings: phoneSettings(DISCARD_PORT, DISCARD_PORT + 1, false) },
      { timeoutMs: CALL_WITHIN_MS },
    );
    if (channel?.instanceId === instanceId) return channel.channelId;
  }
  throw new Error(`no channel was placed on ${instanceId}`);
}
