import { MediaThreads } from '@mediaplane/media';
import { SocketAddress, createUdpSockets } from '@mediaplane/net';
import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { RECEIVER_DEFAULTS } from '../../src/domain/receiver/options.ts';
import type { ReceiverOptions } from '../../src/domain/receiver/options.ts';
import { LINK_DEFAULTS } from '../../src/domain/sender/link-settings.ts';
import { SENDER_DEFAULTS } from '../../src/domain/sender/options.ts';
import { SOCKET_ROLE } from '../../src/media/contract.ts';
import type { SrtlaContract, SrtlaEvent } from '../../src/media/contract.ts';
import type { ListenerStatistics, ResumedGroup } from '../../src/media/listener-contract.ts';
import type { TokenKey } from '../../src/tokens/group-tokens.ts';

const LOOPBACK = '127.0.0.1';
const LISTENER = 'listener';
const UPLINK = 'uplink';

export interface ListenOptions {
  readonly options?: Partial<ReceiverOptions>;
  /** Of a stream id: the server's port, or the RejectionReason. Needs `ingest: 'decide'`. */
  readonly decide?: (streamId: string | null) => { readonly serverPort: number } | { readonly reason: number };
  /** What another gateway has left behind. */
  readonly former?: FormerListener;
}

/** A listener with one group, as records would have it. */
export interface FormerListener {
  readonly port: number;
  readonly upstreamPort: number;
  readonly group: ResumedGroup;
}

/** Listeners and uplinks on a media thread, and what a control side does for them: opens sockets, connects groups to the SRT server. */
export class TestGateway implements AsyncDisposable {
  readonly events: SrtlaEvent[] = [];
  /** Where the uplink's links send from. */
  readonly pathPorts: number[] = [];
  /** Of the listener, as it begins. */
  readonly tokenKey: TokenKey = { id: 1, secret: new Uint8Array(32).fill(3) };
  readonly #sockets = createUdpSockets('native');
  readonly #handles: UdpSocketHandle[] = [];
  readonly #threads: MediaThreads<SrtlaContract>;
  #server: AddressWords | undefined;
  #listen: ListenOptions = {};
  #listenPort = 0;
  #upstreamPort = 0;
  #waiting: (() => void)[] = [];

  private constructor(threads: MediaThreads<SrtlaContract>) {
    this.#threads = threads;
  }

  static async start(): Promise<TestGateway> {
    const gateway: TestGateway = new TestGateway(
      await MediaThreads.start<SrtlaContract>({
        threads: 1,
        program: new URL('../../src/media/program.ts', import.meta.url),
        programCounters: [],
        implementation: 'native',
        latencyBudgetUs: 0,
        arenaBytes: 16 << 20,
        onEvent: (_, event) => gateway.#onEvent(event),
        onSessionLost: (sessionId, _handles, cause) => {
          throw new Error(`${sessionId}: ${cause}`);
        },
      }),
    );
    return gateway;
  }

  /** Returns its port. `serverPort`: where all streams go, unless something else decides. */
  async listen(serverPort: number, listen: ListenOptions = {}): Promise<number> {
    this.#server = onLoopback(serverPort);
    this.#listen = listen;
    const { options, former } = listen;
    const socket = await this.#open(former?.port);
    this.#listenPort = socket.handle.port;
    await this.#threads.open(LISTENER, [socket], {
      kind: 'listener',
      options: { ...RECEIVER_DEFAULTS, ...options },
      tokens: {
        current: this.tokenKey,
        instanceId: 'test',
        maxAgeMs: 3_600_000,
      },
      seed: 99,
      resume: former === undefined ? [] : [former.group],
      endedIds: [],
      relay: null,
    });
    return socket.handle.port;
  }

  statistics(): Promise<ListenerStatistics> {
    return this.#threads.command(LISTENER, 'listenerStatistics', null);
  }

  setTokenKeys(current: TokenKey, previous: TokenKey): Promise<null> {
    return this.#threads.command(LISTENER, 'setTokenKeys', { current, previous });
  }

  /** Returns whether the group was there. */
  kick(group: number): Promise<boolean> {
    return this.#threads.command(LISTENER, 'kickGroup', { group });
  }

  /** What a record would say of the listener and its one group. */
  former(): FormerListener {
    const find = <T extends SrtlaEvent['type']>(type: T): Extract<SrtlaEvent, { type: T }>[] =>
      this.events.filter((event): event is Extract<SrtlaEvent, { type: T }> => event.type === type);
    const [group] = find('group-up');
    const stream = find('ingest-accepted').at(-1);
    if (group === undefined || stream === undefined) throw new Error('no stream stands');
    return {
      port: this.#listenPort,
      upstreamPort: this.#upstreamPort,
      group: { id: group.id, links: find('link-up'), stream },
    };
  }

  /** Resolves when so many events of the type have come. */
  async seen(type: SrtlaEvent['type'], count = 1): Promise<void> {
    while (this.events.filter((event) => event.type === type).length < count) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** `receiverPorts`: by link, where it sends to. Returns the port for the encoder, when all links are up, or so many. */
  async uplink(receiverPorts: readonly number[], up = receiverPorts.length): Promise<number> {
    const socket = await this.#open();
    await this.#threads.open(UPLINK, [socket], { kind: 'uplink', options: SENDER_DEFAULTS });
    for (const [link, port] of receiverPorts.entries()) {
      await this.#threads.command(UPLINK, 'addLink', { link, settings: LINK_DEFAULTS });
      const init = { kind: 'path', uplinkId: UPLINK, link, receiver: onLoopback(port) } as const;
      const path = await this.#open();
      this.pathPorts.push(path.handle.port);
      await this.#threads.open(`path-${link}`, [path], init, UPLINK);
    }
    await this.seen('uplink-link-up', up);
    return socket.handle.port;
  }

  #onEvent(event: SrtlaEvent): void {
    this.events.push(event);
    const { decide, former } = this.#listen;
    if (event.type === 'group-up' && decide === undefined) void this.#connect(event.group, former?.upstreamPort);
    if (event.type === 'ingest-request') void this.#decide(event.group, event.request, event.streamId);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #decide(group: number, request: number, streamId: string | null): Promise<void> {
    const verdict = this.#listen.decide?.(streamId);
    if (verdict === undefined) throw new Error('nobody decides');
    if ('serverPort' in verdict && (this.#upstreamPort === 0 || this.#server?.port !== verdict.serverPort)) {
      this.#server = onLoopback(verdict.serverPort);
      await this.#connect(group);
    }
    const reason = 'reason' in verdict ? verdict.reason : null;
    await this.#threads.command(LISTENER, 'verdict', { group, request, reason });
  }

  async #connect(group: number, port?: number): Promise<void> {
    if (this.#server === undefined) throw new Error('a group without a listener');
    const init = { kind: 'upstream', listenerId: LISTENER, group, server: this.#server } as const;
    const socket = await this.#open(port);
    this.#upstreamPort = socket.handle.port;
    await this.#threads.open(`group-${group}-${this.#handles.length}`, [socket], init, LISTENER);
  }

  async #open(port = 0): Promise<{ role: number; handle: UdpSocketHandle }> {
    const handle = await this.#sockets.open({ address: LOOPBACK, port, receiveBufferBytes: 4 << 20 });
    this.#handles.push(handle);
    return { role: SOCKET_ROLE, handle };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#threads.stop();
    for (const handle of this.#handles) this.#sockets.close(handle);
  }
}

/** Plain data, to cross to the thread. */
function onLoopback(port: number): AddressWords {
  return { ...new SocketAddress().set(0, 0, 0xffff, 0x7f000001, port) };
}
