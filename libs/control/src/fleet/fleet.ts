import type { Bus, Subscription } from '../bus/bus.ts';
import { ServiceError } from '../errors.ts';
import { instanceSubject, instanceTemplate } from '../names.ts';
import type { CallOptions } from '../routing/method.ts';
import type { FleetView, InstanceStatus } from './fleet-view.ts';
import { instanceCodec } from './instance.ts';
import type { Instance } from './instance.ts';

/** The instances of every service on this bus: what stands behind FleetService. */
export interface Fleet {
  /** In order of instance id; those silent for 10 minutes are forgotten. */
  list(options?: { readonly service?: string | undefined }): InstanceStatus[];
  /** NOT_FOUND if it was never heard of. */
  get(instanceId: string): InstanceStatus;
  /** Resolves with what the instance then is. */
  drain(instanceId: string, options?: CallOptions): Promise<InstanceStatus>;
  undrain(instanceId: string, options?: CallOptions): Promise<InstanceStatus>;
}

const DRAIN = 'DrainInstance';
const UNDRAIN = 'UndrainInstance';
const TIMEOUT_MS = 5_000;
const NOTHING = new Uint8Array(0);

export interface FleetParts {
  readonly service: string;
  readonly instanceId: string;
  readonly bus: Bus;
  readonly view: FleetView;
  self(): Instance;
  setDraining(draining: boolean): void;
}

export class BusFleet implements Fleet {
  readonly #parts: FleetParts;
  readonly #responders: Subscription[];

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#responders = [this.#respond(DRAIN, true), this.#respond(UNDRAIN, false)];
  }

  list(options: { readonly service?: string | undefined } = {}): InstanceStatus[] {
    return this.#parts.view.list(options.service);
  }

  get(instanceId: string): InstanceStatus {
    if (instanceId === this.#parts.instanceId) return { ...this.#parts.self(), lastSeenMsAgo: 0, away: false };
    const instance = this.#parts.view.get(instanceId);
    if (instance === undefined) {
      throw new ServiceError('NOT_FOUND', 'INSTANCE_UNKNOWN', `instance ${instanceId} is not known`);
    }
    return instance;
  }

  drain(instanceId: string, options?: CallOptions): Promise<InstanceStatus> {
    return this.#ask(instanceId, DRAIN, options);
  }

  undrain(instanceId: string, options?: CallOptions): Promise<InstanceStatus> {
    return this.#ask(instanceId, UNDRAIN, options);
  }

  stop(): void {
    for (const responder of this.#responders) responder.unsubscribe();
  }

  async #ask(instanceId: string, name: string, options: CallOptions = {}): Promise<InstanceStatus> {
    const { service } = this.get(instanceId);
    if (instanceId === this.#parts.instanceId) {
      this.#parts.setDraining(name === DRAIN);
      return this.get(instanceId);
    }
    const reply = await this.#parts.bus.request(instanceSubject(service, instanceId, name), NOTHING, {
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
      template: instanceTemplate(service, name),
      ...(options.signal !== undefined && { signal: options.signal }),
    });
    return { ...instanceCodec.decode(reply), lastSeenMsAgo: 0, away: false };
  }

  #respond(name: string, draining: boolean): Subscription {
    const { bus, service, instanceId, self, setDraining } = this.#parts;
    const answer = async (): Promise<Uint8Array> => {
      setDraining(draining);
      return instanceCodec.encode(self()).finish();
    };
    return bus.respond(instanceSubject(service, instanceId, name), answer, {
      template: instanceTemplate(service, name),
    });
  }
}
