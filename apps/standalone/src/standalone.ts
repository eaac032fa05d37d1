import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { EmbeddedBus } from '@mediaplane/control';
import { startRtpChannel } from '@mediaplane/rtp-channel';
import type { RunningService, StartOptions } from '@mediaplane/service';
import { startSrtlaGateway } from '@mediaplane/srtla-gateway';
import { speechSamplePath } from '@mediaplane/testkit';
import type { LogFile } from './log-file.ts';

interface KnownService {
  readonly name: string;
  readonly start: (options: StartOptions) => Promise<RunningService>;
  /** Used unless the environment names others, which are those of the first service: the next ones follow at the same distance. */
  readonly grpcPort: number;
  readonly adminPort: number;
}

const RTP_CHANNEL: KnownService = { name: 'rtp-channel', start: startRtpChannel, grpcPort: 7070, adminPort: 9070 };
/** 9071 is its page for scene switchers. */
const SRTLA_GATEWAY: KnownService = {
  name: 'srtla-gateway',
  start: startSrtlaGateway,
  grpcPort: 7071,
  adminPort: 9072,
};

type Environment = Readonly<Record<string, string | undefined>>;

export interface StandaloneStart {
  readonly env: Environment;
  readonly recordings: string | undefined;
  readonly log: LogFile;
}

/** All services in this process, on one embedded bus. */
export class Standalone {
  readonly rtpChannel: RunningService;
  readonly srtlaGateway: RunningService;
  readonly mediaFolder: string;
  readonly recordingsFolder: string;
  /** Default ports that were taken. */
  readonly notes: readonly string[];
  /** What ends when the services have ended; the last one first. */
  private readonly rest: AsyncDisposableStack;

  private constructor(
    [rtpChannel, srtlaGateway]: readonly [RunningService, RunningService],
    folders: Folders,
    notes: readonly string[],
    rest: AsyncDisposableStack,
  ) {
    this.rtpChannel = rtpChannel;
    this.srtlaGateway = srtlaGateway;
    this.mediaFolder = folders.media;
    this.recordingsFolder = folders.recordings;
    this.notes = notes;
    this.rest = rest;
  }

  get services(): readonly RunningService[] {
    return [this.rtpChannel, this.srtlaGateway];
  }

  /** Rejects with ConfigError for a bad configuration; then, as for any failure, nothing is left behind. */
  static async start({ env, recordings, log }: StandaloneStart): Promise<Standalone> {
    await using stack = new AsyncDisposableStack();
    const folders = foldersOf(env, recordings);
    const bus = new EmbeddedBus();
    stack.defer(() => bus.close());
    // Two of them on one machine must not take each other's groups over, nor one those of the one before it.
    const stateFolder = await mkdtemp(join(tmpdir(), 'mediaplane-srtla-'));
    stack.defer(() => rm(stateFolder, { recursive: true, force: true, maxRetries: 3 }));
    const notes: string[] = [];
    const start = async (known: KnownService, own: Environment): Promise<RunningService> => {
      const startOn = (ports: Environment): Promise<RunningService> =>
        known.start({ sources: { env: { ...own, ...ports } }, bus, logTo: log });
      const ports = await portsOf(known, own, notes);
      try {
        return await startOn(ports);
      } catch (error) {
        // Another one that starts at this moment may have taken a default port since it was looked at.
        const portsNow = await portsOf(known, own, notes);
        if (isDeepStrictEqual(portsNow, ports)) throw error;
        return startOn(portsNow);
      }
    };

    const rtpChannel = await start(RTP_CHANNEL, {
      ...env,
      MEDIAPLANE_FILES_MEDIA_FOLDER: folders.media,
      MEDIAPLANE_FILES_RECORDINGS_FOLDER: folders.recordings,
    });
    try {
      const srtlaGateway = await start(SRTLA_GATEWAY, {
        MEDIAPLANE_STATE_FOLDER: stateFolder,
        ...env,
        // A file names the keys of one service.
        MEDIAPLANE_CONFIG: undefined,
      });
      return new Standalone([rtpChannel, srtlaGateway], folders, notes, stack.move());
    } catch (error) {
      await rtpChannel.stop('start failed', 0);
      throw error;
    }
  }

  /** Live sessions go on for `graceMs` at most. A second call with less hastens the first. */
  async stop(reason: string, graceMs: number): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop(reason, graceMs)));
    await this.rest.disposeAsync();
  }
}

interface Folders {
  readonly media: string;
  readonly recordings: string;
}

/** Without a media folder of one's own, the testkit's speech can be played. */
function foldersOf(env: Environment, recordings: string | undefined): Folders {
  return {
    media: env['MEDIAPLANE_FILES_MEDIA_FOLDER'] ?? dirname(speechSamplePath('prompt')),
    recordings: recordings ?? env['MEDIAPLANE_FILES_RECORDINGS_FOLDER'] ?? 'recordings',
  };
}

async function portsOf(known: KnownService, env: Environment, notes: string[]): Promise<Environment> {
  return { ...(await port('grpc', known, env, notes)), ...(await port('admin', known, env, notes)) };
}

/** The environment that gives a service its port. One that somebody chose stays as it is, also when it is taken: that is an error. */
async function port(
  server: 'grpc' | 'admin',
  known: KnownService,
  env: Environment,
  notes: string[],
): Promise<Record<string, string>> {
  const name = `MEDIAPLANE_${server.toUpperCase()}_PORT`;
  const [byDefault, first] =
    server === 'grpc' ? [known.grpcPort, RTP_CHANNEL.grpcPort] : [known.adminPort, RTP_CHANNEL.adminPort];
  const chosen = Number(env[name]);
  if (env[name] !== undefined) return chosen > 0 ? { [name]: String(chosen + byDefault - first) } : {};
  if (env['MEDIAPLANE_CONFIG'] !== undefined) return {};
  const address = env[`MEDIAPLANE_${server.toUpperCase()}_BIND_ADDRESS`] ?? '127.0.0.1';
  if (await isFree(byDefault, address)) return { [name]: String(byDefault) };
  notes.push(`port ${byDefault} is taken: the ${server} server of ${known.name} has another`);
  return { [name]: '0' };
}

function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, address, () => probe.close(() => resolve(true)));
  });
}
