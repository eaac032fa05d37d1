import type { ServiceError } from '../errors.ts';
import { hasCode, hasReason } from '../errors.ts';

/** Errors by which nothing was done, because nobody was there to do it. */
const ABSENT = ['NO_RESPONDERS', 'INSTANCE_AWAY', 'INSTANCE_LOST', 'INSTANCE_UNKNOWN'];

/** The instance did nothing: another may be tried. */
export function isRefusal(thrown: unknown): thrown is ServiceError {
  return isOwnRefusal(thrown) || ABSENT.some((reason) => hasReason(thrown, reason));
}

/** Said by the instance itself, of what it lacks. */
function isOwnRefusal(thrown: unknown): thrown is ServiceError {
  return hasCode(thrown, 'RESOURCE_EXHAUSTED') || hasReason(thrown, 'DRAINING');
}

/** Instances that have refused a create, and why. */
export class Refusals {
  readonly #byInstance = new Map<string, ServiceError>();

  get size(): number {
    return this.#byInstance.size;
  }

  has(instanceId: string): boolean {
    return this.#byInstance.has(instanceId);
  }

  add(instanceId: string, refusal: ServiceError): void {
    this.#byInstance.set(instanceId, refusal);
  }

  /** What every instance that was asked said of itself; undefined when they differ, or one was not there. */
  get common(): ServiceError | undefined {
    const [first, ...others] = this.#byInstance.values();
    if (!isOwnRefusal(first)) return undefined;
    return others.every(({ reason }) => reason === first.reason) ? first : undefined;
  }
}
