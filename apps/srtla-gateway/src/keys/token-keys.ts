import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Bus, Logger } from '@mediaplane/control';
import { hasReason } from '@mediaplane/control';
import type { SrtlaGatewayConfig } from '../config.ts';
import { TOKEN_KEY_BYTES } from '../tokens/group-tokens.ts';
import { keyOf, readKeyPair } from './key-files.ts';
import type { KeyPair } from './key-files.ts';

const BUCKET = 'mp_v1_srtla-gateway_keys';
const KV_KEY = 'token';
const FILE = 'token.key';
const OWNER_ONLY = 0o600;

/** Keys that seal and open group ids. */
export type TokenKeys = KeyPair;

export interface KeySource {
  readonly tokens: SrtlaGatewayConfig['tokens'];
  readonly stateFolder: string;
  readonly bus: Pick<Bus, 'system' | 'kv'>;
  readonly log: Logger;
}

/** The configured keys, or one that is made once and kept: on NATS for the whole fleet, else in the state folder. Rejects with ConfigError. */
export async function readTokenKeys(source: KeySource): Promise<TokenKeys> {
  const { keyFile, previousKeyFile } = source.tokens;
  if (keyFile === '') return { current: keyOf(await keptKey(source)), previous: undefined };
  return readKeyPair('tokens', keyFile, previousKeyFile);
}

/** Reads the files again and again; `onChange` gets keys that differ. A file that cannot be read changes nothing, and is said once. */
export function watchTokenKeys(source: KeySource, first: TokenKeys, onChange: (keys: TokenKeys) => void): Disposable {
  let known = print(first);
  let failing = false;
  const look = async (): Promise<void> => {
    try {
      const keys = await readTokenKeys(source);
      failing = false;
      if (print(keys) === known) return;
      known = print(keys);
      source.log.info({ keyId: keys.current.id, previousKeyId: keys.previous?.id }, 'token keys have changed');
      onChange(keys);
    } catch (err) {
      if (!failing) source.log.error({ err }, 'token keys cannot be read again: those that were read stay');
      failing = true;
    }
  };
  const timer =
    source.tokens.keyFile === '' ? undefined : setInterval(() => void look(), source.tokens.refreshMs).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function print({ current, previous }: TokenKeys): string {
  const hash = createHash('sha256').update(current.secret);
  return (previous === undefined ? hash : hash.update(previous.secret)).digest('hex');
}

async function keptKey({ bus, stateFolder, log }: KeySource): Promise<Uint8Array> {
  if (bus.system === 'nats') return keyOfFleet(bus);
  return stateFolder === '' ? new Uint8Array(randomBytes(TOKEN_KEY_BYTES)) : keyOfFolder(stateFolder, log);
}

/** Whoever is first makes it. */
async function keyOfFleet(bus: KeySource['bus']): Promise<Uint8Array> {
  const kv = bus.kv(BUCKET, { ttlMs: 0 });
  const fresh = new Uint8Array(randomBytes(TOKEN_KEY_BYTES));
  try {
    await kv.create(KV_KEY, fresh);
    return fresh;
  } catch (error) {
    if (!hasReason(error, 'KEY_EXISTS')) throw error;
    const kept = await kv.get(KV_KEY);
    if (kept === undefined) throw error;
    return new Uint8Array(kept.value);
  }
}

async function keyOfFolder(folder: string, log: Logger): Promise<Uint8Array> {
  const file = join(folder, FILE);
  const kept = await readFile(file).catch(() => undefined);
  if (kept?.length === TOKEN_KEY_BYTES) return new Uint8Array(kept);
  if (kept !== undefined) log.warn({ file }, 'the token key is unreadable: another one is made, senders begin anew');
  const fresh = new Uint8Array(randomBytes(TOKEN_KEY_BYTES));
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, fresh, { mode: OWNER_ONLY });
  } catch (err) {
    log.error({ err, file }, 'the token key cannot be kept: after a restart senders begin anew');
  }
  return fresh;
}
