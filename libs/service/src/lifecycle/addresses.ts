import { hostname, networkInterfaces } from 'node:os';
import type { CommonConfig } from '../config/common-config.ts';
import { hostPort } from '../host-port.ts';
import { ADVERTISED, PRIVATE } from './fleet-api.ts';

const WILDCARDS = new Set(['0.0.0.0', '::']);

/** What an instance announces of itself before its servers listen: host name and media addresses. */
export function mediaAddresses({ instance, net }: CommonConfig): Record<string, string> {
  const addresses: Record<string, string> = { host: instance.hostName === '' ? hostname() : instance.hostName };
  for (const { name, bindAddress, advertisedAddress, privateAddress } of net.interfaces) {
    addresses[ADVERTISED + name] = advertisedAddress === '' ? bindAddress : advertisedAddress;
    addresses[PRIVATE + name] = privateAddress === '' ? bindAddress : privateAddress;
  }
  return addresses;
}

/** `address:port` to reach a server by: as advertised, else where it is bound, else the first address of this machine. */
export function reachableAt(bindAddress: string, port: number, advertisedAddress = ''): string {
  const address =
    advertisedAddress !== '' ? advertisedAddress : WILDCARDS.has(bindAddress) ? ownAddress() : bindAddress;
  return hostPort(address, port);
}

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => entries ?? []);
  return addresses.find((entry) => !entry.internal)?.address ?? '127.0.0.1';
}
