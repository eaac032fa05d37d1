import type { Bus } from '../../src/bus/bus.ts';
import type { Clock } from '../../src/clock.ts';
import type { Codec } from '../../src/codec.ts';
import { ControlPlane } from '../../src/control-plane.ts';
import type { ControlPlaneOptions } from '../../src/control-plane-options.ts';
import { ServiceError } from '../../src/errors.ts';
import type { CallContext, Method, StreamMethod } from '../../src/routing/method.ts';
import type { WatchItem } from '../../src/sessions/sessions.ts';

export const textCodec: Codec<string> = {
  encode: (message) => ({ finish: () => new TextEncoder().encode(message) }),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

/**
 * `open` takes `<request id>|<near>|<what>` and answers with the session's id; `change` takes `<request id>|<session id>|<what>`
 * and answers with how often it was called. Others take a session id.
 */
export interface Phone {
  readonly plane: ControlPlane<string, string>;
  readonly open: Method<string, string>;
  readonly get: Method<string, string>;
  readonly change: Method<string, string>;
  readonly who: Method<string, string>;
  readonly read: StreamMethod<string, string>;
  readonly sessions: Map<string, string>;
  readonly orphaned: string[];
  readonly calls: { method: string; request: string; context: CallContext }[];
  limit: number;
  /** Held by `open`, `get` and `change` before they answer. */
  gate: Promise<void>;
  close(sessionId: string): void;
}

type Overrides = Partial<ControlPlaneOptions<string, string>>;

/** A little service on the control plane: sessions that do nothing. */
export async function startPhone(bus: Bus, clock: Clock, overrides: Overrides = {}): Promise<Phone> {
  const knobs = { limit: 1_000_000, gate: Promise.resolve() };
  const sessions = new Map<string, string>();
  const orphaned: string[] = [];
  const calls: Phone['calls'] = [];
  let changes = 0;
  const note = (method: string, request: string, context: CallContext): void =>
    void calls.push({ method, request, context });

  const open: Method<string, string> = {
    name: 'Open',
    requestCodec: textCodec,
    responseCodec: textCodec,
    route: { kind: 'placed', near: (request) => request.split('|')[1] },
    requestId: (request) => request.split('|')[0],
    async handler(request, context) {
      note('Open', request, context);
      await knobs.gate;
      const what = request.split('|')[2];
      if (what === 'bad') throw ServiceError.invalidField('what', 'must not be bad');
      if (what === 'large') throw ServiceError.exhausted('MEMORY_EXHAUSTED', 'this instance has no room for it', 500);
      const sessionId = plane.newSessionId();
      sessions.set(sessionId, what);
      plane.directory.put(sessionId, what);
      plane.events.publish(sessionId, 'opened');
      return sessionId;
    },
  };
  const get: Method<string, string> = {
    name: 'Get',
    requestCodec: textCodec,
    responseCodec: textCodec,
    route: { kind: 'owner', field: 'session_id', sessionId: (request) => request },
    async handler(request, context) {
      note('Get', request, context);
      await knobs.gate;
      const what = sessions.get(request);
      if (what === undefined) throw new ServiceError('NOT_FOUND', 'SESSION_UNKNOWN', `no session ${request}`);
      return what;
    },
  };
  const change: Method<string, string> = {
    name: 'Change',
    requestCodec: textCodec,
    responseCodec: textCodec,
    route: { kind: 'owner', field: 'session_id', sessionId: (request) => request.split('|')[1] },
    requestId: (request) => request.split('|')[0],
    async handler(request, context) {
      note('Change', request, context);
      await knobs.gate;
      const [, sessionId, what] = request.split('|');
      sessions.set(sessionId, what);
      return String(++changes);
    },
  };
  const who: Method<string, string> = {
    name: 'Who',
    requestCodec: textCodec,
    responseCodec: textCodec,
    route: { kind: 'instance', field: 'instance_id', instanceId: (request) => request },
    handler: () => plane.instanceId,
  };
  const read: StreamMethod<string, string> = {
    name: 'Read',
    requestCodec: textCodec,
    responseCodec: textCodec,
    route: { kind: 'owner', field: 'session_id', sessionId: (request) => request },
    async *handler(request) {
      if (!sessions.has(request)) throw new ServiceError('NOT_FOUND', 'SESSION_UNKNOWN', `no session ${request}`);
      for (let i = 0; i < 300; i++) yield `${i} ${'x'.repeat(1_000)}`;
    },
  };

  const plane = await ControlPlane.start<string, string>(
    {
      service: 'phone',
      kind: 'ch',
      bus,
      clock,
      zone: 'z1',
      addresses: { grpc: '127.0.0.1:1' },
      version: '1.0.0',
      capacity: () => ({ limit: knobs.limit, used: sessions.size }),
      record: textCodec,
      event: textCodec,
      lostEvent: (lost) => `closed instance-lost ${lost.record}`,
      onOrphaned(ids) {
        orphaned.push(...ids);
        for (const id of ids) sessions.delete(id);
      },
      ...overrides,
    },
    (router) => {
      for (const method of [open, get, change, who]) router.register(method);
      router.registerStream(read);
    },
  );
  const close = (sessionId: string): void => {
    sessions.delete(sessionId);
    plane.events.publish(sessionId, 'closed', { final: true });
    plane.directory.remove(sessionId);
  };
  return Object.assign(knobs, { plane, open, get, change, who, read, sessions, orphaned, calls, close });
}

/** Keeps what a watch gives, until `stop`. */
export function collect(
  phone: Phone,
  options: { readonly resumeToken?: string; readonly heartbeatMs?: number } = {},
): { readonly items: WatchItem<string, string>[]; readonly ended: Promise<unknown>; lines(): string[]; stop(): void } {
  const done = new AbortController();
  const items: WatchItem<string, string>[] = [];
  const run = async (): Promise<unknown> => {
    try {
      for await (const item of phone.plane.events.watch({ ...options, signal: done.signal })) items.push(item);
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  };
  return { items, ended: run(), lines: () => items.map(describeItem), stop: () => done.abort() };
}

function describeItem(item: WatchItem<string, string>): string {
  if (item.kind === 'session') return `session ${item.sessionId}`;
  return item.kind === 'event' ? `${item.event} ${item.sessionId}` : item.kind;
}
