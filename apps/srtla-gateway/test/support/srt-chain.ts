import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestProcess, freePort } from '@mediaplane/testkit';

const LOOPBACK = '127.0.0.1';
const PAYLOAD_BYTES = 1316;
const SETTLE_WITHIN_MS = 20_000;
const LATE_MS = 5000;
const BURST = 5;
/** Of UDP at either end, for the moments when nobody reads. */
const BUFFER_BYTES = 4 << 20;

export interface ChainOptions {
  /** Path of srt-live-transmit. */
  readonly program: string;
  /** Where the SRT server is to listen. */
  readonly serverPort: number;
  /** Where the encoder is to call. */
  readonly encoderPort: number;
  readonly latencyMs: number;
  /** '' for none. */
  readonly passphrase: string;
  /** Of each packet; default 1316, at most 1456. */
  readonly payloadBytes?: number;
  /** '' for none; default: one where there is a passphrase. */
  readonly streamId?: string;
}

/** A real SRT session: numbered packets go into an encoder, and what the server gets is told. Both are srt-live-transmit. */
export class SrtChain {
  readonly #seen: Set<number>;
  readonly #send: (number: number) => void;
  readonly #programs: readonly TestProcess[];

  private constructor(seen: Set<number>, send: (number: number) => void, programs: readonly TestProcess[]) {
    this.#seen = seen;
    this.#send = send;
    this.#programs = programs;
  }

  /** Resolves when the session stands; what is started goes on `stack`. */
  static async start(options: ChainOptions, stack: AsyncDisposableStack): Promise<SrtChain> {
    const { program, serverPort, encoderPort, latencyMs, passphrase, payloadBytes = PAYLOAD_BYTES } = options;
    const sourcePort = await freePort();
    const seen = new Set<number>();
    const sink = createSocket('udp4').on('message', (payload) => seen.add(payload.readUInt32BE(0)));
    stack.defer(() => void sink.close());
    sink.bind(0, LOOPBACK);
    await once(sink, 'listening');
    sink.setRecvBufferSize(BUFFER_BYTES);
    const transmit = async (name: string, from: string, to: string): Promise<TestProcess> => {
      const args = ['-q', '-loglevel:error', `-chunk:${payloadBytes}`, from, to];
      return stack.use(await TestProcess.start(program, { name, args }));
    };
    const settings = `latency=${latencyMs}&payloadsize=${payloadBytes}${passphrase === '' ? '' : `&passphrase=${passphrase}`}`;
    const streamId = options.streamId ?? (passphrase === '' ? '' : 'live/key');
    const stream = streamId === '' ? '' : `&streamid=${streamId}`;
    const udp = (port: number): string => `udp://${LOOPBACK}:${port}`;
    const server = await transmit(
      'SRT server',
      `srt://${LOOPBACK}:${serverPort}?mode=listener&lossmaxttl=40&${settings}`,
      udp(sink.address().port),
    );
    const encoder = await transmit(
      'encoder',
      `${udp(sourcePort)}?rcvbuf=${BUFFER_BYTES}`,
      `srt://${LOOPBACK}:${encoderPort}?mode=caller&${settings}${stream}`,
    );
    const source = createSocket('udp4');
    stack.defer(() => void source.close());
    const send = (number: number): void => {
      const payload = Buffer.alloc(payloadBytes);
      payload.writeUInt32BE(number);
      source.send(payload, sourcePort, LOOPBACK);
    };
    const chain = new SrtChain(seen, send, [server, encoder]);
    await chain.#settle();
    return chain;
  }

  /** Sends packets `first` to `end` - 1, a thousand a second. */
  async stream(first: number, end: number): Promise<void> {
    for (let number = first; number < end; number += 1) {
      this.#send(number);
      if (number % BURST === BURST - 1) await sleep(BURST);
    }
  }

  /** Those of packets 0 to `end` - 1 that the server has not got, and does not get any more. */
  async missing(end: number): Promise<number[]> {
    const missing = (): number[] => Array.from({ length: end }, (_, i) => i).filter((i) => !this.#seen.has(i));
    for (const untilMs = performance.now() + LATE_MS; missing().length > 0 && performance.now() < untilMs;)
      await sleep(100);
    return missing();
  }

  async #settle(): Promise<void> {
    const NOT_COUNTED = 0x7000_0000;
    for (const untilMs = performance.now() + SETTLE_WITHIN_MS; this.#seen.size === 0; await sleep(20)) {
      if (performance.now() > untilMs || this.#programs.some(({ isRunning }) => !isRunning)) {
        throw new Error(`no SRT session came about; ${this.#programs.map(lastWords).join('; ')}`);
      }
      this.#send(NOT_COUNTED);
    }
  }
}

function lastWords({ name, isRunning, lines }: TestProcess): string {
  return `${name} ${isRunning ? 'runs' : 'has ended'} and said: ${lines.slice(-10).join(' | ')}`;
}
