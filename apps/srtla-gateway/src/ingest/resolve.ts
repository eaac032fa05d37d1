import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '@mediaplane/control';
import { parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';

/** An encoder waits 3 s in all. */
const TIMEOUT_MS = 1000;

export type Resolve = (
  server: { readonly host: string; readonly port: number },
  current?: AddressWords,
) => Promise<AddressWords>;

/**
 * Where an SRT server is; of several addresses `current`, if that is one. Rejects with ServiceError UNAVAILABLE when its name says nothing,
 * or not in time.
 */
export const resolveServer: Resolve = async ({ host, port }, current) => {
  if (isIP(host) !== 0) return plainAddress(parseSocketAddress(host, port));
  const abort = new AbortController();
  try {
    const found = await Promise.race([
      lookup(host, { all: true }),
      sleep(TIMEOUT_MS, undefined, { signal: abort.signal, ref: false }),
    ]);
    if (found === undefined) throw new Error(`no answer within ${TIMEOUT_MS} ms`);
    const addresses = found.map(({ address }) => plainAddress(parseSocketAddress(address, port)));
    return addresses.find((address) => isSame(address, current)) ?? addresses[0];
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw ServiceError.unavailable('SERVER_NOT_FOUND', `SRT server ${host}: ${why}`, { cause });
  } finally {
    abort.abort();
  }
};

function isSame(a: AddressWords, b: AddressWords | undefined): boolean {
  return a.w0 === b?.w0 && a.w1 === b.w1 && a.w2 === b.w2 && a.w3 === b.w3 && a.port === b.port;
}
