import type { SrtlaGatewayConfig } from '../config.ts';
import type { RelayKeys } from '../tokens/relay-seals.ts';
import { readKeyPair } from './key-files.ts';

/** Undefined: none is configured, and links are not handed on. Rejects with ConfigError. */
export async function readRelayKeys(relay: SrtlaGatewayConfig['relay']): Promise<RelayKeys | undefined> {
  return relay.keyFile === '' ? undefined : readKeyPair('relay', relay.keyFile, relay.previousKeyFile);
}
