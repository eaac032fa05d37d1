import { ServiceError } from '../errors.ts';
import type { FleetView, InstanceStatus } from './fleet-view.ts';
import type { Instance } from './instance.ts';

/** The instances of every service on this bus: what FleetService shows. */
export interface Fleet {
  /** In order of instance id; those silent for 10 minutes are forgotten. */
  list(options?: { readonly service?: string | undefined }): InstanceStatus[];
  /** NOT_FOUND if it was never heard of. */
  get(instanceId: string): InstanceStatus;
}

export interface FleetParts {
  readonly instanceId: string;
  readonly view: FleetView;
  self(): Instance;
}

export class HeardFleet implements Fleet {
  readonly #parts: FleetParts;

  constructor(parts: FleetParts) {
    this.#parts = parts;
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
}
