import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestProcess } from '@mediaplane/testkit';

const LOOPBACK = '127.0.0.1';
/** Much, so that a machine that stalls for a second loses nothing that the gateway has not lost. */
const LATENCY_MS = 2000;
const BITRATE_BPS = 4e6;
const WITHIN_MS = 20_000;

export const FRAMES_PER_SECOND = 25;
export const SAMPLES_PER_SECOND = 48_000;

export interface FfmpegChainOptions {
  /** Paths. */
  readonly programs: Readonly<Record<'ffmpeg' | 'srt-live-transmit', string>>;
  readonly folder: string;
  /** Where the SRT server is to listen. */
  readonly serverPort: number;
  /** '' for none. */
  readonly passphrase: string;
  /** '' for none. */
  readonly streamId: string;
}

export interface DecodedStream {
  readonly frames: number;
  readonly samples: number;
  /** Of the decoder. */
  readonly complaints: readonly string[];
}

/** ffmpeg as the encoder, which keeps a copy of what it sends, and srt-live-transmit as the server, which writes what comes into a file. */
export class FfmpegChain {
  readonly #options: FfmpegChainOptions;
  readonly #server: TestProcess;
  readonly #stack: AsyncDisposableStack;

  private constructor(options: FfmpegChainOptions, server: TestProcess, stack: AsyncDisposableStack) {
    this.#options = options;
    this.#server = server;
    this.#stack = stack;
  }

  /** Starts the server; what is started goes on `stack`. */
  static async start(options: FfmpegChainOptions, stack: AsyncDisposableStack): Promise<FfmpegChain> {
    const { serverPort, passphrase, programs, folder } = options;
    const url = srtUrl(serverPort, { mode: 'listener', lossmaxttl: 40, latency: LATENCY_MS, passphrase });
    // It knows no file but its output.
    const command = 'exec "$0" -q -loglevel:fatal "$1" file://con > "$2"';
    const args = ['-c', command, programs['srt-live-transmit'], url, receivedFile(folder)];
    const server = stack.use(await TestProcess.start('/bin/sh', { name: 'srt-live-transmit', args }));
    return new FfmpegChain(options, server, stack);
  }

  /** Encodes a test pattern and a tone until `seconds` of them have come to the server. Returns what was sent, and what came. */
  async stream(encoderPort: number, seconds: number): Promise<{ sent: Buffer; received: Buffer }> {
    const { folder } = this.#options;
    const encoder = this.#stack.use(await this.#encode(encoderPort));
    const bytes = (seconds * BITRATE_BPS) / 8;
    for (const untilMs = performance.now() + WITHIN_MS; (await stat(receivedFile(folder))).size < bytes;) {
      if (performance.now() > untilMs) throw new Error(`too little came: ${encoder.lines.join('\n')}`);
      await sleep(50);
    }
    // What the server has not played yet when its caller leaves, it drops: all but the last is whole.
    await encoder.stop();
    await this.#server.stop();
    return { sent: await readFile(sentFile(folder)), received: await readFile(receivedFile(folder)) };
  }

  /** Decodes the first seconds of what came. */
  async decode(seconds: number): Promise<DecodedStream> {
    const { programs, folder } = this.#options;
    const args = ['-v', 'error', '-i', receivedFile(folder), '-t', `${seconds}`, '-f', 'framecrc', '-'];
    const decoder = await TestProcess.start(programs.ffmpeg, { args });
    await decoder.exited;
    // A line for each frame: stream, dts, pts, duration, bytes, checksum.
    const isFrame = (line: string): boolean => /^[01], /.test(line);
    const durations = (stream: string): number[] =>
      decoder.lines.filter((line) => line.startsWith(`${stream}, `)).map((line) => Number(line.split(',')[3]));
    return {
      frames: durations('0').length,
      samples: durations('1').reduce((sum, samples) => sum + samples, 0),
      complaints: decoder.lines.filter((line) => !isFrame(line) && !line.startsWith('#')),
    };
  }

  #encode(port: number): Promise<TestProcess> {
    const { programs, folder, passphrase, streamId } = this.#options;
    // ffmpeg takes the latency in microseconds.
    const url = srtUrl(port, {
      mode: 'caller',
      pkt_size: 1316,
      latency: LATENCY_MS * 1000,
      passphrase,
      streamid: streamId,
    });
    const pattern = `testsrc2=size=320x180:rate=${FRAMES_PER_SECOND}`;
    const tone = `sine=frequency=440:sample_rate=${SAMPLES_PER_SECOND}`;
    const mux = `[f=mpegts:muxrate=${BITRATE_BPS}]`;
    return TestProcess.start(programs.ffmpeg, {
      args: [
        ...['-hide_banner', '-nostdin', '-loglevel', 'error'],
        ...['-re', '-f', 'lavfi', '-i', pattern, '-re', '-f', 'lavfi', '-i', tone],
        ...['-map', '0:v', '-map', '1:a', '-c:v', 'mpeg2video', '-b:v', '1500k', '-c:a', 'mp2', '-b:a', '128k'],
        ...['-f', 'tee', `${mux}${sentFile(folder)}|${mux}${url}`],
      ],
    });
  }
}

/** Values as they are: ffmpeg 5.1 takes nothing out of percent signs. */
function srtUrl(port: number, settings: Readonly<Record<string, string | number>>): string {
  const query = Object.entries(settings).filter(([, value]) => value !== '');
  return `srt://${LOOPBACK}:${port}?${query.map(([key, value]) => `${key}=${value}`).join('&')}`;
}

function sentFile(folder: string): string {
  return join(folder, 'sent.ts');
}

function receivedFile(folder: string): string {
  return join(folder, 'received.ts');
}
