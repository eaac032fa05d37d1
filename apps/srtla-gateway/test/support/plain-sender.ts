import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

const LOOPBACK = '127.0.0.1';
const WAIT_MS = 5000;
const KEEPALIVE_MS = 200;

/**
 * The least that a bonding sender does, of its own making so that the receiver is not tested with the code that it shares with our
 * sender: registers its links as BELABOX's does (REG1 on the first, REG2 on all), sends the encoder's datagrams by them in turn, hands
 * what comes back to the encoder, and keeps the links alive.
 */
export class PlainSender implements AsyncDisposable {
  /** Of the encoder's end. */
  readonly port: number;
  /** SRTLA ACKs that came back. */
  acks = 0;
  readonly #encoder: Socket;
  readonly #links: Socket[];
  readonly #keepalives: NodeJS.Timeout;
  #encoderPort = 0;
  #turn = 0;

  private constructor(encoder: Socket, links: Socket[], receiverPort: number) {
    this.#encoder = encoder;
    this.#links = links;
    this.port = encoder.address().port;
    encoder.on('message', (datagram, { port }) => {
      this.#encoderPort = port;
      this.#turn = (this.#turn + 1) % links.length;
      links[this.#turn].send(datagram, receiverPort, LOOPBACK);
    });
    for (const link of links) link.on('message', (datagram) => this.#back(datagram));
    this.#keepalives = setInterval(() => {
      for (const link of links) link.send(Buffer.from([0x90, 0x00]), receiverPort, LOOPBACK);
    }, KEEPALIVE_MS);
  }

  static async start(receiverPort: number, linkCount: number): Promise<PlainSender> {
    const encoder = await bound();
    const links = await Promise.all(Array.from({ length: linkCount }, () => bound()));
    try {
      const id = Buffer.alloc(256, 0xab);
      const full = await ask(links[0], Buffer.concat([Buffer.from([0x92, 0x00]), id]), receiverPort, 0x9201);
      if (!full.subarray(2, 130).equals(id.subarray(0, 128)))
        throw new Error('the receiver changed our half of the id');
      for (const link of links) await ask(link, full, receiverPort, 0x9202);
    } catch (error) {
      for (const socket of [encoder, ...links]) socket.close();
      throw error;
    }
    return new PlainSender(encoder, links, receiverPort);
  }

  #back(datagram: Buffer): void {
    if (datagram.readUInt16BE(0) === 0x9100) this.acks += 1;
    if (datagram[0] >> 4 !== 0x9 && this.#encoderPort !== 0) this.#encoder.send(datagram, this.#encoderPort, LOOPBACK);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#keepalives);
    for (const socket of [this.#encoder, ...this.#links]) {
      socket.close();
      await once(socket, 'close');
    }
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  return socket;
}

async function ask(socket: Socket, datagram: Buffer, port: number, expected: number): Promise<Buffer> {
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(WAIT_MS) }) as Promise<[Buffer, RemoteInfo]>;
  socket.send(datagram, port, LOOPBACK);
  const [bytes] = await answer;
  if (bytes.readUInt16BE(0) !== expected) throw new Error(`answered ${bytes.toString('hex', 0, 2)}`);
  return bytes;
}
