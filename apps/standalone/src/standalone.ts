import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { EmbeddedBus } from '@mediaplane/control';
import { startRtpChannel } from '@mediaplane/rtp-channel';
import type { ConfigSources, RunningService, StartOptions } from '@mediaplane/service';
import { speechSamplePath } from '@mediaplane/testkit';
import type { LogFile } from './log-file.ts';

interface KnownService {
  readonly name: string;
  readonly start: (options: StartOptions) => Promise<RunningService>;
  /** Used unless the environment names others. */
  readonly grpcPort: number;
  readonly adminPort: number;
}

/** Every service there is. */
const SERVICES: readonly KnownService[] = [
  { name: 'rtp-channel', start: startRtpChannel, grpcPort: 7070, adminPort: 9070 },
];

type Environment = Readonly<Record<string, string | undefined>>;

export interface StandaloneStart {
  readonly env: Environment;
  readonly recordings: string | undefined;
  readonly log: LogFile;
}

/** All services in this process, on one embedded bus. */
export class Standalone {
  readonly services: readonly RunningService[];
  readonly mediaFolder: string;
  readonly recordingsFolder: string;
  /** Default ports that were taken. */
  readonly notes: readonly string[];
  private readonly bus: EmbeddedBus;

  private constructor(
    services: readonly RunningService[],
    folders: Folders,
    notes: readonly string[],
    bus: EmbeddedBus,
  ) {
    this.services = services;
    this.mediaFolder = folders.media;
    this.recordingsFolder = folders.recordings;
    this.notes = notes;
    this.bus = bus;
  }

  /** Rejects with ConfigError for a bad configuration; then, as for any failure, nothing is left behind. */
  static async start({ env, recordings, log }: StandaloneStart): Promise<Standalone> {
    const folders = foldersOf(env, recordings);
    const bus = new EmbeddedBus();
    const services: RunningService[] = [];
    const notes: string[] = [];
    try {
      for (const known of SERVICES) {
        const ports = { ...(await port('grpc', known, env, notes)), ...(await port('admin', known, env, notes)) };
        const sources: ConfigSources = {
          env: {
            ...env,
            ...ports,
            MEDIAPLANE_FILES_MEDIA_FOLDER: folders.media,
            MEDIAPLANE_FILES_RECORDINGS_FOLDER: folders.recordings,
          },
        };
        services.push(await known.start({ sources, bus, logTo: log }));
      }
    } catch (error) {
      await Promise.all(services.map((service) => service.stop('start failed', 0)));
      await bus.close();
      throw error;
    }
    return new Standalone(services, folders, notes, bus);
  }

  /** Live sessions go on for `graceMs` at most. A second call with less hastens the first. */
  async stop(reason: string, graceMs: number): Promise<void> {
    await Promise.all(this.services.map((service) => service.stop(reason, graceMs)));
    await this.bus.close();
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

/** The environment that gives a service its port. One that somebody chose stays as it is, also when it is taken: that is an error. */
async function port(
  server: 'grpc' | 'admin',
  known: KnownService,
  env: Environment,
  notes: string[],
): Promise<Record<string, string>> {
  const name = `MEDIAPLANE_${server.toUpperCase()}_PORT`;
  if (env[name] !== undefined || env['MEDIAPLANE_CONFIG'] !== undefined) return {};
  const byDefault = server === 'grpc' ? known.grpcPort : known.adminPort;
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
