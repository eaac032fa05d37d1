import { randomUUID } from 'node:crypto';
import type { Bus, BusRequest, Subscription } from '../bus/bus.ts';
import type { Clock } from '../clock.ts';
import type { ControlCounters } from '../counters.ts';
import { withDeadline } from '../deadline.ts';
import type { CallScope } from '../deadline.ts';
import { ServiceError } from '../errors.ts';
import type { FleetView } from '../fleet/fleet-view.ts';
import type { Instance } from '../fleet/instance.ts';
import type { Placement, Reservation } from '../fleet/placement.ts';
import { isRefusal, Refusals } from '../fleet/refusals.ts';
import type { Registry } from '../fleet/registry.ts';
import type { Claims } from '../idempotency/claims.ts';
import { fingerprint } from '../idempotency/fingerprint.ts';
import type { ResultMemory } from '../idempotency/result-memory.ts';
import { instanceSubject, instanceTemplate } from '../names.ts';
import { Forwarder } from './forwarder.ts';
import type { CallOptions, Method, Router, StreamMethod } from './method.ts';
import type { OverloadGate } from './overload-gate.ts';
import { PullSources, STREAM_ID, STREAM_OPEN, unframe } from './pull-stream.ts';
import { parseSessionId } from './session-id.ts';

export interface RouterParts {
  readonly service: string;
  readonly kind: string;
  readonly instanceId: string;
  readonly bus: Bus;
  readonly clock: Clock;
  readonly view: FleetView;
  readonly placement: Placement;
  readonly registry: Registry;
  readonly claims: Claims;
  readonly results: ResultMemory;
  readonly gate: OverloadGate;
  readonly counters: ControlCounters;
  self(): Instance;
}

const DEFAULT_TIMEOUT_MS = 10_000;
/** Instances a create is tried on. */
const MAX_PLACEMENTS = 3;
/** Header: answer only if the request id is known. */
const FOLLOW = 'Mp-Follow';
const NOTHING = new Uint8Array(0);

export class RpcRouter implements Router {
  readonly #parts: RouterParts;
  readonly #responders: Subscription[] = [];
  readonly #sources: PullSources;
  readonly #forwarder: Forwarder;

  constructor(parts: RouterParts) {
    this.#parts = parts;
    this.#sources = new PullSources(parts.clock);
    this.#forwarder = new Forwarder(parts);
  }

  register<Request, Response>(method: Method<Request, Response>): void {
    this.#respond(method.name, async (message) => {
      const request = method.requestCodec.decode(message.payload);
      if (message.headers[FOLLOW] !== undefined) {
        const key = rememberedAs(method, request);
        return this.#parts.results.follow(key, fingerprint(message.payload));
      }
      const { requestId, deadlineMs } = message;
      const call = { requestId, deadlineMs, what: method.name };
      return withDeadline(this.#parts.clock, call, (scope) => this.#execute(method, request, scope));
    });
  }

  registerStream<Request, Response>(method: StreamMethod<Request, Response>): void {
    this.#respond(method.name, async (message) => {
      const id = message.headers[STREAM_ID] ?? '';
      if (message.headers[STREAM_OPEN] === undefined) return this.#sources.pull(id);
      const request = method.requestCodec.decode(message.payload);
      const { requestId } = message;
      // A stream outlives the pull that opened it, so it has no deadline but its caller's patience.
      return this.#sources.open(id, (signal) => {
        const context = { requestId, deadlineMs: Infinity, signal };
        return encodeAll(method.handler(request, context), method);
      });
    });
  }

  async call<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): Promise<Response> {
    const { clock } = this.#parts;
    const deadlineMs = clock.nowMs() + (options.timeoutMs ?? method.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const call = { deadlineMs, callerSignal: options.signal, what: method.name };
    try {
      return await withDeadline(clock, call, (scope) => this.#route(method, request, scope));
    } catch (thrown) {
      throw ServiceError.from(thrown);
    }
  }

  async *stream<Request, Response>(
    method: StreamMethod<Request, Response>,
    request: Request,
    options: CallOptions = {},
  ): AsyncGenerator<Response> {
    const { clock } = this.#parts;
    const target = this.#forwarder.targetOf(method.route, request);
    const deadlineMs = options.timeoutMs === undefined ? Infinity : clock.nowMs() + options.timeoutMs;
    const signal = options.signal ?? new AbortController().signal;
    try {
      if (target === this.#parts.instanceId) {
        yield* method.handler(request, { requestId: randomUUID(), deadlineMs, signal });
        return;
      }
      const id = randomUUID();
      let payload = method.requestCodec.encode(request).finish();
      let headers: Record<string, string> = { [STREAM_ID]: id, [STREAM_OPEN]: '1' };
      for (let ended = false; !ended; headers = { [STREAM_ID]: id }) {
        const pull = { requestId: id, deadlineMs: Math.min(deadlineMs, clock.nowMs() + DEFAULT_TIMEOUT_MS), signal };
        const reply = unframe(await this.#forwarder.forward(method.name, target, payload, pull, headers));
        for (const message of reply.messages) yield method.responseCodec.decode(message);
        payload = NOTHING;
        ended = reply.ended;
      }
    } catch (thrown) {
      throw ServiceError.from(thrown);
    }
  }

  stop(): void {
    for (const responder of this.#responders) responder.unsubscribe();
    this.#sources.closeAll();
  }

  #respond(name: string, handler: (request: BusRequest) => Promise<Uint8Array>): void {
    const { bus, service, instanceId } = this.#parts;
    const template = instanceTemplate(service, name);
    this.#responders.push(bus.respond(instanceSubject(service, instanceId, name), handler, { template }));
  }

  #route<Request, Response>(method: Method<Request, Response>, request: Request, scope: CallScope): Promise<Response> {
    const { route } = method;
    const target =
      route.kind === 'placed' ? this.#forwarder.pinnedOf(route, request) : this.#forwarder.targetOf(route, request);
    return target === undefined ? this.#place(method, request, scope) : this.#callOn(target, method, request, scope);
  }

  async #callOn<Request, Response>(
    target: string,
    method: Method<Request, Response>,
    request: Request,
    scope: CallScope,
  ): Promise<Response> {
    const isHere = target === this.#parts.instanceId;
    if (isHere && requestIdOf(method, request) === '') {
      return this.#handle(method, request, scope);
    }
    return method.responseCodec.decode(await this.#exchange(target, method, request, scope, {}));
  }

  /** As `#callOn`, in bytes. */
  async #exchange<Request, Response>(
    target: string,
    method: Method<Request, Response>,
    request: Request,
    scope: CallScope,
    headers: Record<string, string>,
  ): Promise<Uint8Array> {
    const isHere = target === this.#parts.instanceId;
    if (isHere && headers[FOLLOW] === undefined) return this.#execute(method, request, scope);
    const payload = method.requestCodec.encode(request).finish();
    if (isHere) return this.#parts.results.follow(rememberedAs(method, request), fingerprint(payload));
    return this.#forwarder.forward(method.name, target, payload, scope, headers);
  }

  /**
   * Handles a call here, for whoever asked; with a request id, once. What is remembered is the handler's own outcome: a caller whose
   * time is up leaves it at work, and the same request id joins it.
   */
  async #execute<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    scope: CallScope,
  ): Promise<Uint8Array> {
    const { counters, results } = this.#parts;
    const run = async (): Promise<Uint8Array> =>
      method.responseCodec.encode(await this.#handle(method, request, scope)).finish();
    if (requestIdOf(method, request) === '') return run();
    const print = fingerprint(method.requestCodec.encode(request).finish());
    return results.run(rememberedAs(method, request), print, run, () => counters.callsRepeated++);
  }

  #handle<Request, Response>(method: Method<Request, Response>, request: Request, scope: CallScope): Promise<Response> {
    const { counters, gate } = this.#parts;
    counters.callsLocal++;
    return gate.run(scope, async () => {
      if (method.route.kind === 'placed') this.#requireRoom(method.route.sessions?.(request) ?? 1);
      return method.handler(request, scope);
    });
  }

  /** What the chooser thought it knew may be old: the last word is the instance's own. */
  #requireRoom(sessions: number): void {
    const { state, capacity } = this.#parts.self();
    if (state === 'DRAINING') throw ServiceError.unavailable('DRAINING', 'this instance takes no new sessions');
    if (capacity.used + sessions > capacity.limit) {
      throw ServiceError.exhausted('NO_CAPACITY', `this instance holds ${capacity.used} of ${capacity.limit}`, 1_000);
    }
  }

  async #place<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    scope: CallScope,
  ): Promise<Response> {
    const { bus, claims, counters, view } = this.#parts;
    const requestId = requestIdOf(method, request);
    // Away from the bus nobody else can be asked or told: the session opens here, and only this instance knows the request id.
    if (requestId === '' || bus.state === 'away') return this.#tryInstances(method, request, scope);
    const { response, repeated } = await claims.run({
      methodName: method.name,
      requestId,
      fingerprint: fingerprint(method.requestCodec.encode(request).finish()),
      scope,
      choose: (refused) => {
        const reservation = this.#choose(method, request, refused);
        // The claim decides who carries it out: nothing is held for this choice.
        reservation.done(true);
        return reservation.instanceId;
      },
      // One never heard of may just have started: it is asked, and refuses if it is not there.
      isGone: (instanceId) => view.get(instanceId)?.away ?? false,
      execute: (target) => this.#exchange(target, method, request, scope, {}),
      follow: (target) => this.#exchange(target, method, request, scope, { [FOLLOW]: '1' }),
    });
    if (repeated) counters.callsRepeated++;
    return method.responseCodec.decode(response);
  }

  async #tryInstances<Request, Response>(
    method: Method<Request, Response>,
    request: Request,
    scope: CallScope,
  ): Promise<Response> {
    const refused = new Refusals();
    for (;;) {
      const reservation = this.#choose(method, request, refused);
      try {
        const response = await this.#callOn(reservation.instanceId, method, request, scope);
        reservation.done(true);
        return response;
      } catch (thrown) {
        reservation.done(false);
        if (!isRefusal(thrown)) throw thrown;
        refused.add(reservation.instanceId, thrown);
        if (refused.size >= MAX_PLACEMENTS) throw thrown;
      }
    }
  }

  #choose<Request, Response>(method: Method<Request, Response>, request: Request, refused: Refusals): Reservation {
    const { placement, bus, instanceId } = this.#parts;
    if (method.route.kind !== 'placed') throw new Error('only placed methods are placed');
    const sessions = method.route.sessions?.(request) ?? 1;
    if (bus.state === 'away') {
      this.#requireRoom(sessions);
      return placement.reserve(instanceId, sessions);
    }
    const near = parseSessionId(method.route.near?.(request) ?? '')?.instanceId;
    return placement.choose({ near, sessions, refused });
  }
}

function rememberedAs<Request, Response>(method: Method<Request, Response>, request: Request): string {
  return `${method.name}\0${requestIdOf(method, request)}`;
}

/** '' when the client gave none. */
function requestIdOf<Request, Response>(method: Method<Request, Response>, request: Request): string {
  return method.requestId?.(request) ?? '';
}

async function* encodeAll<Request, Response>(
  responses: AsyncIterable<Response>,
  method: StreamMethod<Request, Response>,
): AsyncGenerator<Uint8Array> {
  for await (const response of responses) yield method.responseCodec.encode(response).finish();
}
