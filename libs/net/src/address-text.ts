import { isIP } from 'node:net';
import { NetError } from './errors.ts';
import { isIpv4, SocketAddress, type AddressWords } from './socket-address.ts';

const V4_MAPPED_WORD = 0xffff;
const IPV6_GROUPS = 8;

/**
 * `ip`: a literal, IPv4 (`192.0.2.1`) or IPv6 (RFC 4291 2.2, v4-mapped included, no zone). `port`: 0 to 65535.
 * @throws NetError invalid-address
 */
export function parseSocketAddress(ip: string, port: number): SocketAddress {
  if (!Number.isInteger(port) || port < 0 || port > 65535) {
    throw new NetError('invalid-address', `port ${port}: must be an integer from 0 to 65535`);
  }
  const address = new SocketAddress();
  if (!parseIpInto(address, ip)) throw new NetError('invalid-address', `${JSON.stringify(ip)} is not an IP address`);
  address.port = port;
  return address;
}

/** Sets the address words and leaves the port alone. @returns false, with nothing changed, if `ip` is no IP literal */
export function parseIpInto(address: SocketAddress, ip: string): boolean {
  const version = isIP(ip);
  if (version === 4) {
    address.set(0, 0, V4_MAPPED_WORD, ipv4Word(ip), address.port);
    return true;
  }
  if (version === 0 || ip.includes('%')) return false;
  const groups = ipv6Groups(ip);
  address.set(
    word(groups[0], groups[1]),
    word(groups[2], groups[3]),
    word(groups[4], groups[5]),
    word(groups[6], groups[7]),
    address.port,
  );
  return true;
}

function word(high: number, low: number): number {
  return (high << 16) | low;
}

function ipv4Word(ip: string): number {
  let value = 0;
  for (const part of ip.split('.')) value = (value << 8) | Number(part);
  return value;
}

/** The eight groups of a literal that `isIP` has accepted. */
function ipv6Groups(ip: string): number[] {
  const [head, tail] = ip.split('::');
  const before = groupsOf(head);
  if (tail === undefined) return before;
  const after = groupsOf(tail);
  return [...before, ...new Array<number>(IPV6_GROUPS - before.length - after.length).fill(0), ...after];
}

function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const ipv4 = ipv4Word(part);
    return [ipv4 >>> 16, ipv4 & 0xffff];
  });
}

/** Dotted for IPv4 and v4-mapped, else the canonical text of RFC 5952. */
export function formatIp(address: AddressWords): string {
  if (isIpv4(address)) return formatIpv4(address.w3);
  const groups = [address.w0, address.w1, address.w2, address.w3].flatMap((value) => [value >>> 16, value & 0xffff]);
  const { start, length } = longestZeroRun(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  // RFC 5952 4.2.2: a single zero group is not shortened.
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 0xff}.${(value >>> 8) & 0xff}.${value & 0xff}`;
}

/** The first of the longest runs of zero groups (RFC 5952 4.2.3). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  groups.forEach((group, index) => {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  });
  return best;
}

/** `192.0.2.1:5004`, `[2001:db8::1]:5004`. */
export function formatSocketAddress(address: AddressWords): string {
  const ip = formatIp(address);
  return isIpv4(address) ? `${ip}:${address.port}` : `[${ip}]:${address.port}`;
}

/** `0.0.0.0` or `::`: to be bound to, never to be sent to or advertised. */
export function isUnspecified(address: AddressWords): boolean {
  return (
    address.w0 === 0 && address.w1 === 0 && address.w3 === 0 && (address.w2 === 0 || address.w2 === V4_MAPPED_WORD)
  );
}
