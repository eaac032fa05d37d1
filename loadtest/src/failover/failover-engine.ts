import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { missingPrograms, receiverProgram, senderProgram } from '../engines/srtla-pair.ts';
import type { ReadyProgram } from '../engines/srtla-pair.ts';
import { NODE_FLAGS } from '../processes.ts';
import { NUMBERED_BYTES } from './numbered-plan.ts';

export interface ReceiverPlace {
  readonly address: string;
  readonly port: number;
  /** Of the SRT server on the loopback interface. */
  readonly serverPort: number;
  /** What it keeps there is there again after a restart. */
  readonly folder: string;
}

export interface SenderPlace {
  /** For the encoder, on the loopback interface. */
  readonly listenPort: number;
  readonly receiverAddress: string;
  readonly receiverPort: number;
  /** The addresses of its links, a line each. */
  readonly linksFile: string;
  /** What it is to be ready for. */
  readonly packetsPerSecond: number;
}

/** A sender and a receiver that are configured by files alone: nobody reaches into a namespace with gRPC. */
export interface FailoverEngine {
  readonly name: string;
  /** Why it cannot run here; null if it can. */
  unavailable(): string | null;
  receiver(place: ReceiverPlace): Promise<ReadyProgram>;
  sender(place: SenderPlace): ReadyProgram;
}

const DIST = join(import.meta.dirname, '..', '..', '..', 'apps', 'srtla-gateway', 'dist');
const [APP, SEND] = [join(DIST, 'main.js'), join(DIST, 'send', 'main.js')];
/** With room for retransmissions. */
const HEADROOM = 2;
const MIN_MBPS = 50;

/** The product: its built app, and its sender of `npm run srtla-send`, built. */
export const ours: FailoverEngine = {
  name: 'ours',
  unavailable: () =>
    [APP, SEND].every((path) => existsSync(path)) ? null : 'srtla-gateway is not built (npm run build)',
  async receiver({ address, port, serverPort, folder }) {
    const state = join(folder, 'state');
    await mkdir(state, { recursive: true });
    const config = join(folder, 'srtla-gateway.json');
    const settings = {
      grpc: { port: 0 },
      admin: { port: 0 },
      log: { format: 'json' },
      drainGraceMs: 0,
      state: { folder: state },
      net: { interfaces: [{ name: 'links', bindAddress: address }] },
      listeners: [{ name: 'links', port, server: `127.0.0.1:${serverPort}` }],
    };
    await writeFile(config, JSON.stringify(settings));
    const args = [...NODE_FLAGS, APP];
    return { program: process.execPath, args, env: { MEDIAPLANE_CONFIG: config }, ready: /"msg":"serving"/ };
  },
  sender({ listenPort, receiverAddress, receiverPort, linksFile, packetsPerSecond }) {
    const mbps = Math.ceil((HEADROOM * packetsPerSecond * NUMBERED_BYTES * 8) / 1e6);
    const to = `${receiverAddress}:${receiverPort}`;
    const most = String(Math.max(mbps, MIN_MBPS));
    const options = ['--listen', String(listenPort), '--to', to, '--links', linksFile, '--max-mbps', most, '--json'];
    return { program: process.execPath, args: [...NODE_FLAGS, SEND, ...options], ready: /"type":"link-up"/ };
  },
};

/** The two programs of BELABOX or of a fork, as somebody has built them, in one folder. */
export function pair(folder: string): FailoverEngine {
  return {
    name: basename(resolve(folder)),
    unavailable: () => missingPrograms(folder),
    receiver: async ({ port, serverPort }) => receiverProgram(folder, port, serverPort),
    sender: ({ listenPort, receiverAddress: address, receiverPort: port, linksFile }) =>
      senderProgram(folder, listenPort, { address, port }, linksFile),
  };
}
