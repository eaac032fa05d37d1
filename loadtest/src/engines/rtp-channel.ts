import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { Channel, ChannelSettings } from '@mediaplane/proto';
import { createClient } from '@mediaplane/service';
import type { ServiceClient } from '@mediaplane/service';
import { runFolder } from '../at-exit.ts';
import { Child } from '../processes.ts';
import type { Engine, EngineKind, EngineMemory, EngineMode, EngineOptions, Phones } from './engine.ts';
import type { FromProbe, ToProbe } from './engine-probe.ts';
import { inParallel, pairs } from './in-parallel.ts';

const APP = join(import.meta.dirname, '..', '..', '..', 'apps', 'rtp-channel', 'dist', 'main.js');
const PROBE = join(import.meta.dirname, 'engine-probe.ts');
const LOOPBACK = '127.0.0.1';
const START_WITHIN_MS = 30_000;
const CALL_WITHIN_MS = 20_000;
/** Calls on the connection at once. */
const PIPELINE = 32;
/** BatchOpenChannels takes 32 at the most. */
const BATCH = 32;

export type RtpChannelClient = ServiceClient<typeof RtpChannelServiceDefinition>;

/** The product: its built app on the embedded bus, driven over gRPC. */
export const rtpChannel: EngineKind = {
  name: 'ours',
  modes: ['idle', 'echo', 'relay'],
  unavailable: () => (existsSync(APP) ? null : 'rtp-channel is not built (npm run build)'),
  start: (options) => RtpChannelProcess.start(options),
};

export interface RtpChannelOptions extends EngineOptions {
  /** Default: the embedded bus. */
  readonly natsUrl?: string;
  readonly portMin?: number;
  readonly portMax?: number;
}

export class RtpChannelProcess implements Engine {
  readonly client: RtpChannelClient;
  readonly grpcAddress: string;
  readonly #child: Child<ToProbe, FromProbe>;
  readonly #folder: AsyncDisposable;
  #channelIds: string[] = [];

  private constructor(child: Child<ToProbe, FromProbe>, grpcAddress: string, folder: AsyncDisposable) {
    this.#child = child;
    this.grpcAddress = grpcAddress;
    this.client = createClient(RtpChannelServiceDefinition, grpcAddress);
    this.#folder = folder;
  }

  static async start(options: RtpChannelOptions): Promise<RtpChannelProcess> {
    const { threads, memoryProbe, natsUrl = '', portMin = 10_000, portMax = 29_999 } = options;
    const folder = await runFolder();
    const child = await Child.startNode<ToProbe, FromProbe>(APP, {
      name: 'rtp-channel',
      flags: ['--import', PROBE, ...(memoryProbe ? ['--expose-gc'] : [])],
      env: {
        ...(memoryProbe ? { LOADTEST_MEMORY_PROBE: '1' } : {}),
        MEDIAPLANE_GRPC_PORT: '0',
        MEDIAPLANE_ADMIN_PORT: '0',
        MEDIAPLANE_LOG_FORMAT: 'json',
        MEDIAPLANE_LOG_LEVEL: 'info',
        MEDIAPLANE_MEDIA_THREADS: String(threads),
        MEDIAPLANE_CAPACITY_MAX_SESSIONS: '10000',
        MEDIAPLANE_NET_RTP_PORT_MIN: String(portMin),
        MEDIAPLANE_NET_RTP_PORT_MAX: String(portMax),
        MEDIAPLANE_BUS_NATS_URL: natsUrl,
        MEDIAPLANE_DRAIN_GRACE_MS: '0',
        MEDIAPLANE_FILES_MEDIA_FOLDER: folder.path,
        MEDIAPLANE_FILES_RECORDINGS_FOLDER: folder.path,
      },
    });
    try {
      const [, address] = await child.untilPrinted(/"grpc":"([^"]+)".*"msg":"serving"/, START_WITHIN_MS);
      return new RtpChannelProcess(child, address, folder);
    } catch (error) {
      await child.stop();
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  async open(mode: EngineMode, { rtpPorts, rtcpPort }: Phones): Promise<readonly number[]> {
    const batches = Array.from({ length: Math.ceil(rtpPorts.length / BATCH) }, (_, i) =>
      rtpPorts.slice(i * BATCH, (i + 1) * BATCH),
    );
    const channels = (
      await inParallel(batches, PIPELINE, (ports) => this.#openBatch(mode, { rtpPorts: ports, rtcpPort }))
    ).flat();
    this.#channelIds.push(...channels.map((channel) => channel.channelId));
    if (mode === 'relay') {
      await inParallel(pairs(channels), PIPELINE, ([a, b]) =>
        this.client.bridgeChannels(
          { channelId: a.channelId, peerChannelId: b.channelId },
          { timeoutMs: CALL_WITHIN_MS },
        ),
      );
    }
    return channels.map(portOf);
  }

  async #openBatch(mode: EngineMode, { rtpPorts, rtcpPort }: Phones): Promise<readonly Channel[]> {
    const requests = rtpPorts.map((rtpPort) => ({ settings: phoneSettings(rtpPort, rtcpPort, mode === 'echo') }));
    return (await this.client.batchOpenChannels({ requests }, { timeoutMs: CALL_WITHIN_MS })).channels;
  }

  async closeAll(): Promise<void> {
    const ids = this.#channelIds;
    this.#channelIds = [];
    await inParallel(ids, PIPELINE, (channelId) =>
      this.client.closeChannel({ channelId }, { timeoutMs: CALL_WITHIN_MS }),
    );
  }

  async memory(): Promise<EngineMemory> {
    const answer = await this.#child.ask('memory', CALL_WITHIN_MS);
    if ('failed' in answer) throw new Error(`memory probe: ${answer.failed}`);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.#child.stop();
    await this.#folder[Symbol.asyncDispose]();
  }
}

/** A phone on the loopback interface; a silent one is not given up during a long run. */
export function phoneSettings(
  rtpPort: number,
  rtcpPort: number,
  echo: boolean,
): Pick<ChannelSettings, 'remote' | 'echo'> & { idle: { rtpTimeoutMs: number } } {
  return { remote: { address: LOOPBACK, rtpPort, rtcpPort }, echo, idle: { rtpTimeoutMs: 0 } };
}

function portOf({ local, channelId }: Channel): number {
  if (local === undefined) throw new Error(`channel ${channelId} came without a local endpoint`);
  return local.rtpPort;
}
