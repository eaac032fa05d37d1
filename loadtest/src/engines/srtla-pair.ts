import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { freePort } from '@mediaplane/testkit';
import { runFolder } from '../at-exit.ts';
import { Child } from '../processes.ts';
import { linkAddress } from './bonding-engine.ts';
import type { BondingEngine, BondingProcess } from './bonding-engine.ts';

export const SENDER = 'srtla_send';
export const RECEIVER = 'srtla_rec';
const START_WITHIN_MS = 10_000;

/** Says which of the two programs the folder has not; null if it has both. */
export function missingPrograms(folder: string): string | null {
  const missing = [SENDER, RECEIVER].filter((program) => !existsSync(resolve(folder, program)));
  return missing.length === 0 ? null : `${resolve(folder)} has no ${missing.join(' and no ')}`;
}

/** The two programs of BELABOX or of a fork, as somebody has built them, in one folder. They know no profiles. */
export function srtlaPair(folder: string): BondingEngine {
  const path = (program: string): string => resolve(folder, program);
  return {
    name: basename(resolve(folder)),
    unavailable: () => missingPrograms(folder),
    async startReceiver(serverPort) {
      const port = await freePort();
      const args = [String(port), '127.0.0.1', String(serverPort)];
      return start({ program: path(RECEIVER), args, port, ready: /is now running/ });
    },
    async startSender(receiverPort, links) {
      const port = await freePort();
      await using list = await runFolder();
      const file = join(list.path, 'links');
      const addresses = Array.from({ length: links }, (_, link) => linkAddress(link));
      await writeFile(file, `${addresses.join('\n')}\n`);
      const args = [String(port), '127.0.0.1', String(receiverPort), file];
      return await start({ program: path(SENDER), args, port, ready: /connection established/i });
    },
  };
}

interface Start {
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number;
  /** What it says when it is. */
  readonly ready: RegExp;
}

async function start({ program, args, port, ready }: Start): Promise<BondingProcess> {
  const child = await Child.start<never, never>({ name: basename(program), program, args });
  try {
    await child.untilPrinted(ready, START_WITHIN_MS);
  } catch (error) {
    await child.stop();
    throw error;
  }
  return { pid: child.pid, port, [Symbol.asyncDispose]: () => child.stop() };
}
