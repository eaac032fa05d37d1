import type { Bus, Codec, Directory, DirectoryEntry, Events, Fleet, Router } from '@mediaplane/control';
import type { DynamicModule, INestApplicationContext } from '@nestjs/common';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import type { DestinationStream, Logger } from 'pino';
import type { z } from 'zod';
import type { commonConfig } from '../config/common-config.ts';
import type { ConfigProblem, ConfigSources } from '../config/load-config.ts';
import type { ServedApi } from '../grpc/api.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SessionNeeds } from './capacity.ts';

/** The schema of a service: the keys of every service and its own sections. */
export type ConfigSchema<Own extends z.ZodRawShape> = z.ZodObject<typeof commonConfig & Own>;
export type ConfigOf<Own extends z.ZodRawShape> = z.output<ConfigSchema<Own>>;

/** How sessions appear to the rest of the fleet: `Rec` is the directory's record of one, `Ev` the message of one event. */
export interface SessionTypes<Rec, Ev> {
  readonly record: Codec<Rec>;
  readonly event: Codec<Ev>;
  /** The final event of a session whose instance was lost, told by the survivor that declared it. */
  lostEvent(lost: DirectoryEntry<Rec>, survivorId: string): Ev;
}

/** All that is particular to one service. */
export interface ServiceSpec<Own extends z.ZodRawShape, Rec, Ev> extends SessionTypes<Rec, Ev> {
  /** Also the service's name on the bus: `rtp-channel`. */
  readonly name: string;
  /** First part of its session ids: `ch`. */
  readonly kind: string;
  readonly version: string;
  /** Its own sections, made with `config/keys.ts`; `{}` for none. */
  readonly config: Own;
  /** Rules over several of its keys. */
  checkConfig?(config: ConfigOf<Own>): ConfigProblem | undefined;
  /** What one session takes. */
  readonly needs: SessionNeeds;
  /** The Nest module. Providers may inject `ServiceRuntime`; the runtime is given too, for providers made by hand. */
  module(runtime: ServiceRuntime<ConfigOf<Own>, Rec, Ev>): DynamicModule;
  /** Called when the module is up: what the service serves and answers for. */
  parts(app: INestApplicationContext): ServiceParts;
}

export interface StartOptions {
  readonly sources?: ConfigSources;
  /** A bus that several services of a process share; the caller closes it. Default: as configured. */
  readonly bus?: Bus;
  /** Where spans go besides the configured endpoint. */
  readonly spanProcessors?: readonly SpanProcessor[];
  /** Where log lines go; default: standard output. */
  readonly logTo?: DestinationStream;
}

/** What a running service gives to the frame around it. */
export interface ServiceParts {
  readonly apis: readonly ServedApi[];
  /** Sessions that it holds now. */
  sessions(): number;
  /** 0 to 1, of whatever binds first; default sessions / limit. */
  load?(): number;
  /** The instance drains or stops; `false`: it takes sessions again. For services whose sessions do not all come by calls. */
  onDrain?(draining: boolean): void;
  /** Closes every session with reason `shutdown`; resolves when all are gone and their events published. */
  closeAll(): Promise<void>;
  /** Closes the media of sessions that a survivor has already ended by name; publishes nothing. */
  closeOrphans(sessionIds: readonly string[]): void | Promise<void>;
  /** Why the process should be restarted, for example a stalled media thread; undefined while it is well. */
  unhealthy?(): string | undefined;
  /** Shown on the status page. */
  status?(): object;
}

/** What the frame gives to a service. A class, so that Nest can inject it by type. */
export class ServiceRuntime<Config = unknown, Rec = unknown, Ev = unknown> {
  readonly name: string;
  readonly version: string;
  readonly instanceId: string;
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly bus: Bus;
  /** For calls to other instances; the service's own APIs are registered with it by the frame. */
  readonly router: Router;
  readonly directory: Directory<Rec>;
  readonly events: Events<Rec, Ev>;
  /** Who else there is. */
  readonly fleet: Fleet;
  /** Tells the other instances an address of this one, by purpose, in its heartbeats; '' takes it back. */
  readonly announce: (purpose: string, address: string) => void;

  constructor(parts: ServiceRuntime<Config, Rec, Ev>) {
    this.name = parts.name;
    this.version = parts.version;
    this.instanceId = parts.instanceId;
    this.config = parts.config;
    this.log = parts.log;
    this.metrics = parts.metrics;
    this.bus = parts.bus;
    this.router = parts.router;
    this.directory = parts.directory;
    this.events = parts.events;
    this.fleet = parts.fleet;
    this.announce = parts.announce;
  }
}
