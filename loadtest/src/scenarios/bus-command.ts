import { setTimeout as sleep } from 'node:timers/promises';
import {
  Direction,
  FleetServiceDefinition,
  RtpChannelServiceDefinition,
  UpdateChannelRequest,
} from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import { findSystemBinary, startNatsServer } from '@mediaplane/testkit';
import type { EngineKind } from '../engines/engine.ts';
import { GrpcConnection } from '../engines/grpc-connection.ts';
import type { RtpChannelClient } from '../engines/rtp-channel.ts';
import { RtpChannelProcess, phoneSettings } from '../engines/rtp-channel.ts';
import { makeResult } from '../report/result.ts';
import type { Result } from '../report/result.ts';
import { adopt } from '../at-exit.ts';
import { closedLoop } from './closed-loop.ts';
import type { ScenarioOptions } from './scenario.ts';

const DISCARD_PORT = 9;
/**
 * Of either way. Commands take turns in three processes, which compile what runs on the way: p99 falls for about 25 s, and
 * an instance serves for days.
 */
const WARM_UP_SECONDS = 30;
const CALL_WITHIN_MS = 5000;
const FLEET_WITHIN_MS = 15_000;
const POLL_MS = 100;

/**
 * Two instances on a real nats-server: UpdateChannel over gRPC through the one for a channel that the other owns, and, to
 * compare, through the owner itself. Each command changes something, so that it is stored and published. `channels` of them
 * are under way at once; the client runs in this process.
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

  const measure = async ({ grpcAddress }: RtpChannelProcess, text: string) => {
    using connection = await GrpcConnection.open(grpcAddress, CALL_WITHIN_MS);
    const command = turns(connection, channelId);
    progress(`warming up: ${text}`);
    await closedLoop(lanes, WARM_UP_SECONDS, command);
    progress(text);
    return await closedLoop(lanes, seconds, command);
  };
  const local = await measure(owner, 'commands to the owner itself');
  const remote = await measure(entrance, 'commands through the other instance');
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

/** A command that turns the channel's audio off and on by turns. */
function turns(connection: GrpcConnection, channelId: string): () => Promise<void> {
  const { fullName, methods } = RtpChannelServiceDefinition;
  const updateChannel = connection.unary(fullName, methods.updateChannel);
  const requests = [Direction.INACTIVE, Direction.SENDRECV].map((direction) =>
    UpdateChannelRequest.fromPartial({ channelId, settings: { direction }, updateMask: ['direction'] }),
  );
  let next = 0;
  return async () => {
    await updateChannel(requests[next++ % requests.length]);
  };
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
