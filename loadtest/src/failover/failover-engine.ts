import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { RECEIVER, SENDER, missingPrograms } from '../engines/srtla-pair.ts';

/** A program in its namespace, and what it prints when it serves. */
export interface ServerProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: RegExp;
}

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
}

/** A sender and a receiver that are configured by files alone: nobody reaches into a namespace with gRPC. */
export interface FailoverEngine {
  readonly name: string;
  /** Why it cannot run here; null if it can. */
  unavailable(): string | null;
  receiver(place: ReceiverPlace): Promise<ServerProgram>;
  sender(place: SenderPlace): ServerProgram;
}

const DIST = join(import.meta.dirname, '..', '..', '..', 'apps', 'srtla-gateway', 'dist');
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning'] as const;

/** The product: its built app, and its sender as `npm run srtla-send` starts it. */
export const ours: FailoverEngine = {
  name: 'ours',
  unavailable: () => (existsSync(join(DIST, 'main.js')) ? null : 'srtla-gateway is not built (npm run build)'),
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
    const [program, ...flags] = NODE;
    const args = [...flags, join(DIST, 'main.js')];
    return { program, args, env: { MEDIAPLANE_CONFIG: config }, ready: /"msg":"serving"/ };
  },
  sender({ listenPort, receiverAddress, receiverPort, linksFile }) {
    const [program, ...flags] = NODE;
    const to = `${receiverAddress}:${receiverPort}`;
    const options = ['--listen', String(listenPort), '--to', to, '--links', linksFile, '--json'];
    return { program, args: [...flags, join(DIST, 'send', 'main.js'), ...options], ready: /"type":"link-up"/ };
  },
};

/** The two programs of BELABOX or of a fork, as somebody has built them, in one folder. */
export function pair(folder: string): FailoverEngine {
  return {
    name: basename(resolve(folder)),
    unavailable: () => missingPrograms(folder),
    async receiver({ port, serverPort }) {
      const args = [String(port), '127.0.0.1', String(serverPort)];
      return { program: resolve(folder, RECEIVER), args, ready: /is now running/ };
    },
    sender({ listenPort, receiverAddress, receiverPort, linksFile }) {
      const args = [String(listenPort), receiverAddress, String(receiverPort), linksFile];
      return { program: resolve(folder, SENDER), args, ready: /connection established/i };
    },
  };
}
