import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { once } from 'node:events';

const LOOPBACK = '127.0.0.1';

/** What a link goes through on its way to a receiver: it can die without a word, and a balancer behind it can send it elsewhere. */
export class Modem implements AsyncDisposable {
  dead = false;
  /** Where its datagrams go. */
  receiverPort: number;
  readonly port: number;
  readonly #near: Socket;
  readonly #far: Socket;

  private constructor(near: Socket, far: Socket, receiverPort: number) {
    this.#near = near;
    this.#far = far;
    this.receiverPort = receiverPort;
    this.port = near.address().port;
    let senderPort = 0;
    near.on('message', (datagram, { port }) => {
      senderPort = port;
      if (!this.dead) far.send(datagram, this.receiverPort, LOOPBACK);
    });
    far.on('message', (datagram) => {
      if (!this.dead) near.send(datagram, senderPort, LOOPBACK);
    });
  }

  static async start(receiverPort: number): Promise<Modem> {
    const [near, far] = [createSocket('udp4'), createSocket('udp4')];
    for (const socket of [near, far]) {
      socket.bind(0, LOOPBACK);
      await once(socket, 'listening');
    }
    return new Modem(near, far, receiverPort);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of [this.#near, this.#far]) {
      socket.close();
      await once(socket, 'close');
    }
  }
}
