import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import type { Bencoded } from './bencode.ts';
import { decodeBencode, encodeBencode } from './bencode.ts';

type Answer = Readonly<Record<string, Bencoded>>;

const ANSWER_WITHIN_MS = 1000;
const ATTEMPTS = 5;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A client of rtpengine's ng protocol: `cookie SP bencoded-dictionary` over UDP, answered with the same cookie. A request
 * that gets no answer is repeated under its cookie, which rtpengine answers from its cache.
 */
export class NgClient implements Disposable {
  readonly #port: number;
  readonly #socket: Socket = createSocket('udp4');
  readonly #waiting = new Map<string, Waiting>();
  #lastCookie = 0;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on('message', (message) => this.#hear(message));
  }

  /** Rejects when rtpengine answers with an error, or not at all. */
  async request(command: string, fields: Readonly<Record<string, Bencoded>> = {}): Promise<Answer> {
    const cookie = `lt${(this.#lastCookie += 1)}`;
    const packet = Buffer.concat([Buffer.from(`${cookie} `), encodeBencode({ ...fields, command })]);
    const answered = new Promise<Answer>((resolve, reject) => this.#waiting.set(cookie, { resolve, reject }));
    let attempts = 0;
    const attempt = (): void => {
      if ((attempts += 1) > ATTEMPTS) {
        this.#waiting.get(cookie)?.reject(new Error(`rtpengine does not answer "${command}"`));
      } else {
        this.#socket.send(packet, this.#port, '127.0.0.1');
      }
    };
    attempt();
    const repeat = setInterval(attempt, ANSWER_WITHIN_MS);
    try {
      const answer = await answered;
      if (answer['result'] === 'error') throw new Error(`rtpengine: ${command}: ${String(answer['error-reason'])}`);
      return answer;
    } finally {
      clearInterval(repeat);
      this.#waiting.delete(cookie);
    }
  }

  #hear(message: Buffer): void {
    const space = message.indexOf(' ');
    const waiting = this.#waiting.get(message.toString('latin1', 0, Math.max(space, 0)));
    if (waiting === undefined) return;
    try {
      const answer = decodeBencode(message.subarray(space + 1));
      if (typeof answer !== 'object' || Array.isArray(answer)) throw new Error('rtpengine answered no dictionary');
      waiting.resolve(Object.fromEntries(Object.entries(answer)));
    } catch (error) {
      waiting.reject(error);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
