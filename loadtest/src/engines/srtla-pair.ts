import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { freePort } from '@mediaplane/testkit';
import { runFolder } from '../at-exit.ts';
import { Child } from '../processes.ts';
import { linkAddress } from './bonding-engine.ts';
import type { BondingEngine, BondingProcess } from './bonding-engine.ts';

const SENDER = 'srtla_send';
const RECEIVER = 'srtla_rec';
const LOOPBACK = '127.0.0.1';
const START_WITHIN_MS = 10_000;

/** A program, and what it prints when it is ready. */
export interface ReadyProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly ready: RegExp;
}

/** Says which of the two programs the folder has not; null if it has both. */
export function missingPrograms(folder: string): string | null {
  const missing = [SENDER, RECEIVER].filter((program) => !existsSync(resolve(folder, program)));
  return missing.length === 0 ? null : `${resolve(folder)} has no ${missing.join(' and no ')}`;
}

/** Hands streams that come to `port` to the SRT server on the loopback interface. */
export function receiverProgram(folder: string, port: number, serverPort: number): ReadyProgram {
  const args = [String(port), LOOPBACK, String(serverPort)];
  return { program: resolve(folder, RECEIVER), args, ready: /is now running/ };
}

/** `linksFile`: the addresses of its links, a line each. */
export function senderProgram(
  folder: string,
  port: number,
  receiver: { readonly address: string; readonly port: number },
  linksFile: string,
): ReadyProgram {
  const args = [String(port), receiver.address, String(receiver.port), linksFile];
  return { program: resolve(folder, SENDER), args, ready: /connection established/i };
}

/** The two programs of BELABOX or of a fork, as somebody has built them, in one folder. They know no profiles. */
export function srtlaPair(folder: string): BondingEngine {
  return {
    name: basename(resolve(folder)),
    unavailable: () => missingPrograms(folder),
    async startReceiver(serverPort) {
      const port = await freePort();
      return start(receiverProgram(folder, port, serverPort), port);
    },
    async startSender(receiverPort, links) {
      const port = await freePort();
      await using list = await runFolder();
      const file = join(list.path, 'links');
      const addresses = Array.from({ length: links }, (_, link) => linkAddress(link));
      await writeFile(file, `${addresses.join('\n')}\n`);
      return await start(senderProgram(folder, port, { address: LOOPBACK, port: receiverPort }, file), port);
    },
  };
}

async function start({ program, args, ready }: ReadyProgram, port: number): Promise<BondingProcess> {
  const child = await Child.start<never, never>({ name: basename(program), program, args });
  try {
    await child.untilPrinted(ready, START_WITHIN_MS);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => child.stop() };
}
