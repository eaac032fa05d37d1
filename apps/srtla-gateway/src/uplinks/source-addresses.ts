import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import { formatIp, parseSocketAddress } from '@mediaplane/net';
import type { Family } from './receiver-addresses.ts';

/** As `os.networkInterfaces()` tells them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

export function familyOf(address: string): Family {
  return isIPv6(address) ? 6 : 4;
}

/** Addresses of a device that reach further than its own wire, in the order of the system. */
export function addressesOf(device: string, interfaces: Interfaces): string[] {
  // RFC 3927, RFC 4291 2.5.6: link-local ones.
  const isLocal = (address: string): boolean => address.startsWith('169.254.') || /^fe[89ab]/i.test(address);
  return (interfaces[device] ?? []).map(({ address }) => address).filter((address) => !isLocal(address));
}

/** The device that has the address; undefined when none does. */
export function deviceOf(address: string, interfaces: Interfaces): string | undefined {
  const wanted = canonical(address);
  return Object.entries(interfaces).find(([, infos]) => infos?.some((info) => canonical(info.address) === wanted))?.[0];
}

function canonical(address: string): string {
  return formatIp(parseSocketAddress(address.split('%')[0], 0));
}
