import { parseSocketAddress } from './address-text.ts';
import { NetError } from './errors.ts';
import type { UdpSocketOptions } from './packet-io.ts';
import { isIpv4, plainAddress } from './socket-address.ts';
import type { AddressWords, SocketAddress } from './socket-address.ts';

/** Expedited forwarding, for audio (RFC 3246, RFC 4594 4.1). */
export const DEFAULT_DSCP = 46;
/**
 * For an audio stream of 50 packets/s. Linux doubles what is asked for and charges about 0.8 KiB of its own memory for a
 * packet of 172 bytes: granted 128 KiB hold some 3 s, and a flooded port costs no more than that. Nothing is used until
 * packets wait.
 */
export const DEFAULT_BUFFER_BYTES = 64 * 1024;
const MIN_BUFFER_BYTES = 1024;
const MAX_BUFFER_BYTES = 2 ** 30;
const MAX_DSCP = 63;
/** What Linux takes for one (dev_valid_name), of ASCII. */
const DEVICE_NAME = /^(?!\.{1,2}$)[!-.0-9;-~]{1,15}$/;

/** Options whose every value has been checked. */
export interface CheckedOptions {
  readonly address: SocketAddress;
  readonly dscp: number;
  readonly receiveBufferBytes: number;
  readonly sendBufferBytes: number;
  readonly device: string | undefined;
  readonly peer: AddressWords | undefined;
}

/** @throws NetError invalid-address, invalid-option */
export function checkOptions(options: UdpSocketOptions): CheckedOptions {
  const { peer, address } = options;
  if (peer !== undefined && (peer.port === 0 || (!address.includes(':') && !isIpv4(peer)))) {
    throw new NetError('invalid-option', `peer: must have a port, and an IPv4 address where the socket has one`);
  }
  return {
    address: parseSocketAddress(options.address, options.port),
    dscp: inRange('dscp', options.dscp ?? DEFAULT_DSCP, 0, MAX_DSCP),
    receiveBufferBytes: bufferBytes('receiveBufferBytes', options.receiveBufferBytes),
    sendBufferBytes: bufferBytes('sendBufferBytes', options.sendBufferBytes),
    device: options.device === undefined ? undefined : deviceName(options.device),
    peer: peer && plainAddress(peer),
  };
}

function deviceName(name: string): string {
  if (DEVICE_NAME.test(name)) return name;
  throw new NetError(
    'invalid-option',
    `device ${JSON.stringify(name)}: must be 1 to 15 of ASCII, without "/" and space`,
  );
}

function bufferBytes(name: string, value: number = DEFAULT_BUFFER_BYTES): number {
  return inRange(name, value, MIN_BUFFER_BYTES, MAX_BUFFER_BYTES);
}

/** @throws NetError invalid-option */
export function inRange(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new NetError('invalid-option', `${name} ${value}: must be an integer from ${min} to ${max}`);
}
