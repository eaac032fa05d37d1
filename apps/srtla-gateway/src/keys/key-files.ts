import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '@mediaplane/service';
import { TOKEN_KEY_BYTES } from '../tokens/group-tokens.ts';
import type { TokenKey } from '../tokens/group-tokens.ts';

/** Two keys of which the first seals and both open. */
export interface KeyPair {
  readonly current: TokenKey;
  readonly previous: TokenKey | undefined;
}

/** `section`: of the configuration, for messages; its `previousKeyFile` may be ''. Rejects with ConfigError. */
export async function readKeyPair(section: string, keyFile: string, previousKeyFile: string): Promise<KeyPair> {
  const current = keyOf(await secretIn(`${section}.keyFile`, keyFile));
  if (previousKeyFile === '') return { current, previous: undefined };
  const previous = keyOf(await secretIn(`${section}.previousKeyFile`, previousKeyFile));
  const same = Buffer.compare(current.secret, previous.secret) === 0;
  if (!same && current.id === previous.id) {
    throw new ConfigError(
      `configuration: ${section}.keyFile: must not have the number of ${section}.previousKeyFile (one key in 256 has): make another`,
    );
  }
  return { current, previous: same ? undefined : previous };
}

/** Its number is made of it, so that all instances agree on it. */
export function keyOf(secret: Uint8Array): TokenKey {
  return { id: createHash('sha256').update(secret).digest()[0], secret };
}

async function secretIn(path: string, file: string): Promise<Uint8Array> {
  const where = `configuration: ${path} = ${JSON.stringify(file)}`;
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new ConfigError(
      `${where}: must be a readable file (${error instanceof Error ? error.message : String(error)})`,
    );
  }
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length !== TOKEN_KEY_BYTES) {
    throw new ConfigError(`${where}: must hold ${TOKEN_KEY_BYTES} bytes in hexadecimal or base64`);
  }
  return new Uint8Array(key);
}
