import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

export type Transport = 'rtp' | 'rtcp';
export type OnDatagram = (transport: Transport, bytes: Uint8Array, from: RemoteInfo) => void;

const PAIR_ATTEMPTS = 50;

/** A phone's two sockets, for RTP on an even port and for RTCP on the next one (RFC 3550 11). */
export class PhoneSockets {
  readonly address: string;
  private readonly onDatagram: OnDatagram;
  private readonly sockets: Record<Transport, Socket>;

  private constructor(address: string, rtp: Socket, rtcp: Socket, onDatagram: OnDatagram) {
    this.address = address;
    this.onDatagram = onDatagram;
    this.sockets = { rtp, rtcp };
    this.listen('rtp');
    this.listen('rtcp');
  }

  /** Binds a free pair of ports of `address`. */
  static async open(address: string, onDatagram: OnDatagram): Promise<PhoneSockets> {
    let failure: unknown;
    for (let attempt = 0; attempt < PAIR_ATTEMPTS; attempt++) {
      const first = await bind(address, 0);
      const { port } = first.address();
      const isEven = port % 2 === 0;
      try {
        const second = await bind(address, isEven ? port + 1 : port - 1);
        return new PhoneSockets(address, isEven ? first : second, isEven ? second : first, onDatagram);
      } catch (error) {
        // The neighbour is taken: try another pair.
        first.close();
        failure = error;
      }
    }
    throw new Error(`no free pair of ports at ${address}`, { cause: failure });
  }

  port(transport: Transport): number {
    return this.sockets[transport].address().port;
  }

  /** Moves to another port, as a NAT does that forgot the mapping: what still comes to the old one is lost. */
  async rebind(transport: Transport): Promise<void> {
    const old = this.sockets[transport];
    this.sockets[transport] = await bind(this.address, 0);
    old.removeAllListeners('message');
    old.close();
    this.listen(transport);
  }

  /** Errors of sending are those of a network: the datagram is lost. */
  send(transport: Transport, bytes: Uint8Array, port: number, address: string): void {
    this.sockets[transport].send(bytes, port, address, () => {});
  }

  async close(): Promise<void> {
    const closing = Object.values(this.sockets).map((socket) => new Promise<void>((resolve) => socket.close(resolve)));
    await Promise.all(closing);
  }

  private listen(transport: Transport): void {
    const socket = this.sockets[transport];
    socket.on('message', (bytes, from) => this.onDatagram(transport, bytes, from));
    socket.on('error', () => {});
  }
}

function bind(address: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 1 << 20 });
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
