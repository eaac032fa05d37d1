import type { Bus } from '../bus/bus.ts';
import { busAway } from '../bus/request-wire.ts';
import type { Clock } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { ServiceError, hasReason } from '../errors.ts';
import type { Registry } from '../fleet/registry.ts';
import { instanceSubject, instanceTemplate } from '../names.ts';
import type { CallContext, Route } from './method.ts';
import { isInstanceId, requireSessionId } from './session-id.ts';

export interface ForwarderParts {
  readonly service: string;
  readonly kind: string;
  readonly instanceId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly counters: ControlCounters;
}

/** A route that names its instance. */
export type TargetedRoute<Request> = Exclude<Route<Request>, { kind: 'placed' }>;

/** Finds the instance a call is for, and sends it there. */
export class Forwarder {
  readonly #parts: ForwarderParts;

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  targetOf<Request>(route: TargetedRoute<Request>, request: Request): string {
    switch (route.kind) {
      case 'local':
        return this.#parts.instanceId;
      case 'owner':
        return requireSessionId(route.field, route.sessionId(request), route.sessionKind ?? this.#parts.kind)
          .instanceId;
      case 'instance':
        return requireInstanceId(route.field, route.instanceId(request));
    }
  }

  /** The one instance that a placed call must go to; undefined when placement is to choose. */
  pinnedOf<Request>(route: Extract<Route<Request>, { kind: 'placed' }>, request: Request): string | undefined {
    const instanceId = route.pinned?.instanceId(request) ?? '';
    return route.pinned === undefined || instanceId === ''
      ? undefined
      : requireInstanceId(route.pinned.field, instanceId);
  }

  async forward(
    name: string,
    target: string,
    payload: Uint8Array,
    context: CallContext,
    headers: Record<string, string>,
  ): Promise<Uint8Array> {
    const { bus, clock, counters, service } = this.#parts;
    if (bus.state === 'away') throw busAway();
    counters.callsForwarded++;
    try {
      return await bus.request(instanceSubject(service, target, name), payload, {
        timeoutMs: context.deadlineMs - clock.nowMs(),
        requestId: context.requestId,
        signal: context.signal,
        template: instanceTemplate(service, name),
        headers,
      });
    } catch (thrown) {
      if (!hasReason(thrown, 'NO_RESPONDERS')) throw thrown;
      throw await this.#whyNobodyAnswers(target);
    }
  }

  async #whyNobodyAnswers(target: string): Promise<ServiceError> {
    const entry = await this.#parts.registry.get(target);
    if (entry === undefined) {
      return new ServiceError('NOT_FOUND', 'INSTANCE_UNKNOWN', `instance ${target} does not exist (any more)`);
    }
    return entry.state === 'lost'
      ? ServiceError.unavailable('INSTANCE_LOST', `instance ${target} was lost, and its sessions with it`)
      : ServiceError.unavailable('INSTANCE_AWAY', `instance ${target} does not answer`, { retryAfterMs: 1_000 });
  }
}

function requireInstanceId(field: string, instanceId: string): string {
  if (!isInstanceId(instanceId)) throw ServiceError.invalidField(field, 'must be an instance id');
  return instanceId;
}
