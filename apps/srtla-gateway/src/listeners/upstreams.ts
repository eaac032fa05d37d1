import type { MediaThreads } from '@mediaplane/media';
import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { SOCKET_ROLE } from '../media/contract.ts';
import type { SrtlaContract } from '../media/contract.ts';
import { endpointText } from './endpoint.ts';
import type { LiveGroup, Upstream } from './live-group.ts';
import { sourceTowards } from './source-address.ts';
import type { UpstreamPorts } from './upstream-ports.ts';

export type ListenerMedia = Pick<MediaThreads<SrtlaContract>, 'open' | 'close' | 'command'>;

export interface UpstreamsOptions {
  readonly media: ListenerMedia;
  readonly ports: UpstreamPorts;
  /** '': as the system routes. */
  readonly sourceAddress: string;
}

/** Sockets of groups towards their SRT servers, and the media sessions that they belong to. Calls of one group take turns. */
export class Upstreams {
  readonly #options: UpstreamsOptions;
  /** By id of the media session. */
  readonly #bySession = new Map<string, LiveGroup>();
  #opened = 0;

  constructor(options: UpstreamsOptions) {
    this.#options = options;
  }

  groupOf(sessionId: string): LiveGroup | undefined {
    return this.#bySession.get(sessionId);
  }

  /** The group's way to a server, in place of one to another. */
  async connect(group: LiveGroup, address: AddressWords): Promise<void> {
    const former = group.upstream;
    if (former !== undefined && endpointText(former.address) === endpointText(address)) return;
    const { ports, sourceAddress } = this.#options;
    const socket = await ports.open(sourceAddress === '' ? await sourceTowards(address) : sourceAddress, address);
    await this.attach(group, socket, address);
    if (former !== undefined) await this.#close(former);
  }

  /** The same port that the server knew before the process was started again. Rejects with what the system says. */
  async bindAgain(
    local: { readonly address: string; readonly port: number },
    server: AddressWords,
  ): Promise<UdpSocketHandle> {
    return this.#options.ports.reopen(local.address, local.port, server);
  }

  /** Some port towards a server that will not follow. */
  async bindAnew(server: AddressWords): Promise<UdpSocketHandle> {
    return this.#options.ports.open(await sourceTowards(server), server);
  }

  /** Gives a socket to the group's media thread. It is released when that fails. */
  async attach(group: LiveGroup, socket: UdpSocketHandle, address: AddressWords): Promise<void> {
    const upstream: Upstream = { socket, address, sessionId: '' };
    try {
      await this.#open(group, upstream);
    } catch (error) {
      this.#options.ports.release(socket);
      throw error;
    }
    group.upstream = upstream;
    group.record.upstream = { address: socket.address, port: socket.port };
  }

  /** After its media session was lost: the same socket, which the server knows. */
  async reattach(group: LiveGroup): Promise<void> {
    if (group.upstream !== undefined) await this.#open(group, group.upstream);
  }

  /** Its media session is over; the socket stays. */
  async detach(group: LiveGroup): Promise<void> {
    const { upstream } = group;
    if (upstream === undefined || !this.#bySession.delete(upstream.sessionId)) return;
    // It may have ended with its thread.
    await this.#options.media.close(upstream.sessionId, null).catch(() => undefined);
  }

  /** The media session was lost: it need not be closed. */
  forget(sessionId: string): void {
    this.#bySession.delete(sessionId);
  }

  async release(group: LiveGroup): Promise<void> {
    const { upstream } = group;
    group.upstream = undefined;
    if (upstream !== undefined) await this.#close(upstream);
  }

  async #open(group: LiveGroup, upstream: Upstream): Promise<void> {
    this.#opened += 1;
    const sessionId = `${group.id}.${this.#opened}`;
    const listenerId = group.listener.mediaId;
    const init = { kind: 'upstream', listenerId, group: group.serial, server: upstream.address } as const;
    // Before it is open: its loss may be told at once.
    this.#bySession.set(sessionId, group);
    try {
      await this.#options.media.open(sessionId, [{ role: SOCKET_ROLE, handle: upstream.socket }], init, listenerId);
    } catch (error) {
      this.#bySession.delete(sessionId);
      throw error;
    }
    upstream.sessionId = sessionId;
  }

  async #close({ sessionId, socket }: Upstream): Promise<void> {
    if (this.#bySession.delete(sessionId)) await this.#options.media.close(sessionId, null).catch(() => undefined);
    this.#options.ports.release(socket);
  }
}
