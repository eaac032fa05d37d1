import { NetError, formatIp, formatSocketAddress } from '@mediaplane/net';
import type { AddressWords, UdpSocketHandle } from '@mediaplane/net';
import { SOCKET_ROLE } from '../media/contract.ts';
import type { AllParts } from './parts.ts';
import { deviceOf } from './source-addresses.ts';
import type { Interfaces } from './source-addresses.ts';
import type { LinkSocketView } from './view.ts';

/** A modem that stalls takes nothing for a while; what goes out then waits here, and is not refused. */
const SEND_BUFFER_BYTES = 4 << 20;
/** Acknowledgements and losses: small, but each counts. */
const RECEIVE_BUFFER_BYTES = 1 << 20;
/** What networks of others make of marks is unknown; none are set. */
const DSCP = 0;

export type PathParts = Pick<AllParts, 'media' | 'sockets' | 'buffers' | 'routeProblem'>;

export interface PathRequest {
  /** Of the session; that of the uplink and a rest of its own. */
  readonly sessionId: string;
  readonly uplinkId: string;
  readonly link: number;
  readonly source: string;
  /** To bind it to; '': none. */
  readonly device: string;
  readonly receiver: AddressWords;
  readonly interfaces: Interfaces;
}

/** A link's socket, with its session on the media thread. */
export class LinkPath {
  readonly sessionId: string;
  readonly #parts: PathParts;
  readonly #request: PathRequest;
  readonly #handle: UdpSocketHandle;
  readonly #device: string;
  /** The device that has the address; undefined when none is known to have it (all of 127/8 can be bound). */
  readonly #home: string | undefined;

  private constructor(parts: PathParts, request: PathRequest, handle: UdpSocketHandle, device: string) {
    this.sessionId = request.sessionId;
    this.#parts = parts;
    this.#request = request;
    this.#handle = handle;
    this.#device = device;
    this.#home = deviceOf(request.source, request.interfaces);
  }

  /** @throws Error whose message says what is missing; nothing is left open then */
  static async open(parts: PathParts, request: PathRequest): Promise<LinkPath> {
    const { handle, device } = await openSocket(parts, request.source, request.device);
    const { sessionId, uplinkId, link, receiver } = request;
    try {
      const init = { kind: 'path', uplinkId, link, receiver } as const;
      await parts.media.open(sessionId, [{ role: SOCKET_ROLE, handle }], init, uplinkId);
    } catch (error) {
      parts.sockets.close(handle);
      throw error;
    }
    return new LinkPath(parts, request, handle, device);
  }

  async close(): Promise<void> {
    try {
      await this.#parts.media.close(this.sessionId, null);
    } catch {
      // Its thread is gone, and the session with it.
    }
    this.release();
  }

  /** The session has ended by itself: closes the socket that is left. */
  release(): void {
    this.#parts.sockets.close(this.#handle);
  }

  get source(): string {
    return this.#request.source;
  }

  /** The system has forbidden to bind it to its device. */
  get isUnbound(): boolean {
    return this.#device !== this.#request.device;
  }

  leadsTo(receiver: AddressWords): boolean {
    return formatSocketAddress(receiver) === formatSocketAddress(this.#request.receiver);
  }

  /** The device that had its address has it no more. */
  isHomeless(interfaces: Interfaces): boolean {
    return this.#home !== undefined && deviceOf(this.source, interfaces) !== this.#home;
  }

  /** A socket that is bound to a device needs no rule for its source. */
  async routeProblem(interfaces: Interfaces): Promise<string> {
    if (this.#device !== '') return '';
    const { source, receiver, link: number } = this.#request;
    return this.#parts.routeProblem({ source, receiver: formatIp(receiver), number, interfaces });
  }

  view(): LinkSocketView {
    const { port, receiveBufferBytes, sendBufferBytes } = this.#handle;
    return {
      source: this.source,
      sourcePort: port,
      device: this.#device,
      receiver: formatSocketAddress(this.#request.receiver),
      receiveBufferBytes,
      sendBufferBytes,
    };
  }
}

/** Bound to the device, or without where the system cannot do that: then its routes decide. */
async function openSocket(
  parts: PathParts,
  source: string,
  device: string,
): Promise<{ handle: UdpSocketHandle; device: string }> {
  const { sockets, buffers } = parts;
  const options = {
    address: source,
    port: 0,
    dscp: DSCP,
    receiveBufferBytes: RECEIVE_BUFFER_BYTES,
    sendBufferBytes: SEND_BUFFER_BYTES,
    segmentRuns: true,
    ...(device === '' ? {} : { device }),
  };
  try {
    const handle = await sockets.open(options);
    buffers.check(options, handle);
    return { handle, device: sockets.capabilities.implementation === 'native' ? device : '' };
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    if (error.code === 'permission-denied' && device !== '') return openSocket(parts, source, '');
    if (error.code !== 'address-not-available') throw error;
    throw new Error(`${source} is not an address of this machine`, { cause: error });
  }
}
