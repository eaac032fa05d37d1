import {
  AF_INET,
  AF_INET6,
  NativeUnavailableError,
  SystemCallError,
  deviceName,
  errnoName,
  queryRoute,
} from '@mediaplane/native';
import { formatIp, parseSocketAddress } from './address-text.ts';
import { NetError } from './errors.ts';
import type { NetImplementation } from './packet-io.ts';
import { SocketAddress } from './socket-address.ts';

/** How the kernel would send, or the name of the errno with which it would refuse: `ENETUNREACH`, ... */
export type Route =
  | { readonly device: string; readonly gateway: string | null; readonly refusal: null }
  | { readonly device: null; readonly gateway: null; readonly refusal: string };

const V4_MAPPED_WORD = 0xffff;

/**
 * By which device the routing tables, policy rules included, send from `source` to `destination`: two IP literals of one
 * version. A socket bound to a device goes by that device instead.
 * @returns undefined where it cannot be told: on dgram, or if the system forbids the question
 * @throws NetError invalid-address, address-family-not-supported
 */
export function routeOf(source: string, destination: string, implementation: NetImplementation): Route | undefined {
  const from = parseSocketAddress(source, 0);
  const to = parseSocketAddress(destination, 0);
  if (from.isIpv4 !== to.isIpv4) {
    throw new NetError('address-family-not-supported', `no route from ${source} to ${destination}: two IP versions`);
  }
  if (implementation !== 'native') return undefined;
  try {
    const reply = queryRoute(from.isIpv4 ? AF_INET : AF_INET6, networkBytes(from), networkBytes(to));
    if (reply === undefined) return undefined;
    if (reply.errno !== undefined) return { device: null, gateway: null, refusal: errnoName(reply.errno) };
    const gateway = reply.gateway === null ? null : formatIp(fromNetworkBytes(reply.gateway));
    return { device: deviceName(reply.deviceIndex), gateway, refusal: null };
  } catch (error) {
    if (error instanceof SystemCallError || error instanceof NativeUnavailableError) return undefined;
    throw error;
  }
}

function networkBytes({ isIpv4, w0, w1, w2, w3 }: SocketAddress): Uint8Array {
  const words = isIpv4 ? [w3] : [w0, w1, w2, w3];
  const view = new DataView(new ArrayBuffer(words.length * 4));
  words.forEach((word, index) => view.setInt32(index * 4, word));
  return new Uint8Array(view.buffer);
}

function fromNetworkBytes(bytes: Uint8Array): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return bytes.length === 4
    ? new SocketAddress().set(0, 0, V4_MAPPED_WORD, view.getInt32(0), 0)
    : new SocketAddress().set(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12), 0);
}
