import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { on, once } from 'node:events';

const LOOPBACK = '127.0.0.1';

/** A link of a sender that is replayed: says what it is told to say, and reads every datagram that comes back, in order. */
export class ReplayedLink implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #receiverPort: number;
  readonly #answers: ReturnType<typeof on>;

  private constructor(socket: Socket, receiverPort: number) {
    this.#socket = socket;
    this.#receiverPort = receiverPort;
    this.#answers = on(socket, 'message');
  }

  static async open(receiverPort: number): Promise<ReplayedLink> {
    const socket = createSocket('udp4');
    const link = new ReplayedLink(socket, receiverPort);
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    return link;
  }

  send(datagram: Uint8Array): void {
    this.#socket.send(datagram, this.#receiverPort, LOOPBACK);
  }

  /** The next datagram that comes, or has come. */
  async receive(): Promise<Buffer> {
    const { value } = await this.#answers.next();
    if (value === undefined) throw new Error('the link is closed');
    return value[0];
  }

  /** What comes next when this is sent. */
  ask(datagram: Uint8Array): Promise<Buffer> {
    this.send(datagram);
    return this.receive();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#answers.return?.();
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}
