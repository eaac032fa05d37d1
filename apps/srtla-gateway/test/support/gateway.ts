import { MediaThreads } from '@mediaplane/media';
import { SocketAddress, createUdpSockets } from '@mediaplane/net';
import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { RECEIVER_DEFAULTS } from '../../src/domain/receiver/options.ts';
import { LINK_DEFAULTS } from '../../src/domain/sender/link-settings.ts';
import { SENDER_DEFAULTS } from '../../src/domain/sender/options.ts';
import { SOCKET_ROLE } from '../../src/media/contract.ts';
import type { SrtlaContract, SrtlaEvent } from '../../src/media/contract.ts';

const LOOPBACK = '127.0.0.1';
const LISTENER = 'listener';
const UPLINK = 'uplink';

/** Listeners and uplinks on a media thread, and what a control side does for them: opens sockets, connects groups to the SRT server. */
export class TestGateway implements AsyncDisposable {
  readonly events: SrtlaEvent[] = [];
  readonly #sockets = createUdpSockets('native');
  readonly #handles: UdpSocketHandle[] = [];
  readonly #threads: MediaThreads<SrtlaContract>;
  #server: AddressWords | undefined;
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

  /** Returns its port. */
  async listen(serverPort: number): Promise<number> {
    this.#server = onLoopback(serverPort);
    const socket = await this.#open();
    await this.#threads.open(LISTENER, [socket], {
      kind: 'listener',
      options: RECEIVER_DEFAULTS,
      tokens: {
        current: { id: 1, secret: new Uint8Array(32).fill(3) },
        instanceId: 'test',
        maxAgeMs: 3_600_000,
      },
      seed: 99,
      resume: [],
      endedIds: [],
    });
    return socket.handle.port;
  }

  /** `receiverPorts`: by link, where it sends to. Returns the port for the encoder, when all links are up. */
  async uplink(receiverPorts: readonly number[]): Promise<number> {
    const socket = await this.#open();
    await this.#threads.open(UPLINK, [socket], { kind: 'uplink', options: SENDER_DEFAULTS });
    for (const [link, port] of receiverPorts.entries()) {
      await this.#threads.command(UPLINK, 'addLink', { link, settings: LINK_DEFAULTS });
      const init = { kind: 'path', uplinkId: UPLINK, link, receiver: onLoopback(port) } as const;
      await this.#threads.open(`path-${link}`, [await this.#open()], init, UPLINK);
    }
    while (this.events.filter(({ type }) => type === 'uplink-link-up').length < receiverPorts.length) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return socket.handle.port;
  }

  #onEvent(event: SrtlaEvent): void {
    this.events.push(event);
    if (event.type === 'group-up') void this.#connect(event.group);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #connect(group: number): Promise<void> {
    if (this.#server === undefined) throw new Error('a group without a listener');
    const init = { kind: 'upstream', listenerId: LISTENER, group, server: this.#server } as const;
    await this.#threads.open(`group-${group}`, [await this.#open()], init, LISTENER);
  }

  async #open(): Promise<{ role: number; handle: UdpSocketHandle }> {
    const handle = await this.#sockets.open({ address: LOOPBACK, port: 0, receiveBufferBytes: 4 << 20 });
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
