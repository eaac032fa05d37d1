import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Impairment } from './impairment.ts';
import { Impairer } from './impairment.ts';

const LOOPBACK = '127.0.0.1';
const BUFFER_BYTES = 4 << 20;

export interface UdpRelayOptions {
  readonly targetPort: number;
  /** Default 127.0.0.1. */
  readonly targetAddress?: string;
  /** What happens to datagrams on the way to the target, and back. */
  readonly there?: Impairment;
  readonly back?: Impairment;
  /** Of the impairments; default 1. */
  readonly seed?: number;
}

/** The way of one source of datagrams through a relay: a modem, where the relay is its network. */
export interface UdpPath {
  readonly address: string;
  readonly port: number;
  /** A dead path swallows everything, both ways, without a word. */
  dead: boolean;
}

/**
 * A UDP relay on loopback with a path of its own for each source address and port, so that the target sees as many senders as there
 * are. Its paths can die, and datagrams be lost.
 */
export class UdpRelay implements AsyncDisposable {
  readonly port: number;
  readonly paths: UdpPath[] = [];
  /** Sees every datagram that comes to the near side, before it is passed on or not. */
  onDatagram: (datagram: Uint8Array, path: UdpPath) => void = () => {};
  readonly #near: Socket;
  readonly #fars = new Map<string, Far>();
  readonly #options: UdpRelayOptions;
  readonly #there: Impairer;
  readonly #back: Impairer;
  #isClosed = false;

  private constructor(near: Socket, options: UdpRelayOptions) {
    const { there = {}, back = {}, seed = 1 } = options;
    this.#near = near;
    this.#options = options;
    this.#there = new Impairer(there, seed);
    this.#back = new Impairer(back, seed + 1);
    this.port = near.address().port;
    near.on('message', (datagram, { address, port }) => this.#onNear(datagram, address, port));
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(options: UdpRelayOptions): Promise<UdpRelay> {
    const near = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
    near.bind(0, LOOPBACK);
    await once(near, 'listening');
    return new UdpRelay(near, options);
  }

  /** Datagrams that impairments took, both ways. */
  get lost(): number {
    return this.#there.lost + this.#back.lost;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await Promise.all([this.#near, ...[...this.#fars.values()].map(({ socket }) => socket)].map(closed));
  }

  #onNear(datagram: Buffer, address: string, port: number): void {
    const key = `${address}:${port}`;
    const far = this.#fars.get(key) ?? this.#open(key, { address, port, dead: false });
    this.onDatagram(datagram, far.path);
    if (!far.path.dead) for (const each of this.#there.pass(datagram)) far.send(each);
  }

  #open(key: string, path: UdpPath): Far {
    const { targetPort, targetAddress = LOOPBACK } = this.#options;
    const far = new Far(path, targetPort, targetAddress);
    far.socket.on('message', (datagram) => {
      if (path.dead) return;
      for (const each of this.#back.pass(datagram)) this.#near.send(each, path.port, path.address);
    });
    this.#fars.set(key, far);
    this.paths.push(path);
    return far;
  }
}

/** The socket that stands for a source towards the target. */
class Far {
  readonly path: UdpPath;
  readonly socket = createSocket({ type: 'udp4', recvBufferSize: BUFFER_BYTES });
  /** What came before the socket was there. */
  #waiting: Uint8Array[] | undefined = [];

  constructor(path: UdpPath, port: number, address: string) {
    this.path = path;
    // Nobody listens yet: as on a network, nothing comes of it.
    this.socket.on('error', () => {});
    this.socket.connect(port, address, () => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const datagram of waiting) this.socket.send(datagram);
    });
  }

  send(datagram: Uint8Array): void {
    if (this.#waiting === undefined) this.socket.send(datagram);
    else this.#waiting.push(datagram);
  }
}

async function closed(socket: Socket): Promise<void> {
  socket.close();
  await once(socket, 'close');
}
