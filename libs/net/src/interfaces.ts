import { isUnspecified, parseSocketAddress } from './address-text.ts';
import { NetError } from './errors.ts';
import type { SocketAddress } from './socket-address.ts';

/** A network that channels can be opened on. All addresses are IP literals of one family. */
export interface NetInterface {
  readonly name: string;
  /** What sockets are bound to; may be `0.0.0.0` or `::`. */
  readonly bindAddress: string;
  /** What peers are told, for instance the outer address of a 1:1 NAT. Default: the bind address. */
  readonly advertisedAddress: string;
  /** Where the other instances of this service reach us, if not at the advertised address. */
  readonly privateAddress?: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/;
const KEYS = new Set(['name', 'bindAddress', 'advertisedAddress', 'privateAddress']);

/**
 * A configured list of interfaces; the first is the default one.
 * @throws NetError invalid-interfaces, whose message names the field, its value and what is allowed
 */
export function parseInterfaces(value: unknown): NetInterface[] {
  if (!Array.isArray(value) || value.length === 0)
    refuse('interfaces', value, 'must be a list of at least one interface');
  const interfaces = value.map((item: unknown, index) => parseInterface(`interfaces[${index}]`, item));
  const names = new Set<string>();
  interfaces.forEach(({ name }, index) => {
    if (names.has(name)) refuse(`interfaces[${index}].name`, name, 'is the name of an earlier interface');
    names.add(name);
  });
  return interfaces;
}

function parseInterface(path: string, value: unknown): NetInterface {
  if (!isRecord(value)) refuse(path, value, 'must be an object');
  for (const key of Object.keys(value)) {
    if (!KEYS.has(key)) refuse(`${path}.${key}`, value[key], `is not a known key: ${[...KEYS].join(', ')}`);
  }
  const { name, bindAddress, advertisedAddress = bindAddress, privateAddress } = value;
  if (typeof name !== 'string' || !NAME.test(name)) {
    refuse(`${path}.name`, name, 'must be 1 to 63 letters, digits, "-", "_" or "."');
  }
  const bound = parseAddress(`${path}.bindAddress`, bindAddress);
  const parsed = {
    name,
    bindAddress: bound.text,
    advertisedAddress: reachable(`${path}.advertisedAddress`, advertisedAddress, bound.address),
  };
  if (privateAddress === undefined) return parsed;
  return { ...parsed, privateAddress: reachable(`${path}.privateAddress`, privateAddress, bound.address) };
}

/** An address that others send to. */
function reachable(path: string, value: unknown, bound: SocketAddress): string {
  const { text, address } = parseAddress(path, value);
  if (isUnspecified(address)) refuse(path, value, 'must be an address that others can send to');
  if (address.isIpv4 !== bound.isIpv4) refuse(path, value, 'must be of the same IP version as bindAddress');
  return text;
}

function parseAddress(path: string, value: unknown): { text: string; address: SocketAddress } {
  if (typeof value !== 'string') refuse(path, value, 'must be an IP address');
  try {
    return { text: value, address: parseSocketAddress(value, 0) };
  } catch {
    return refuse(path, value, 'must be an IP address');
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(path: string, value: unknown, why: string): never {
  throw new NetError('invalid-interfaces', `${path} = ${JSON.stringify(value)}: ${why}`);
}

/** By name; `''` is the first. @throws NetError unknown-interface */
export function selectInterface(interfaces: readonly NetInterface[], name = ''): NetInterface {
  const found = name === '' ? interfaces[0] : interfaces.find((candidate) => candidate.name === name);
  if (found) return found;
  const known = interfaces.map((candidate) => candidate.name).join(', ');
  throw new NetError('unknown-interface', `no interface ${JSON.stringify(name)}; configured: ${known}`);
}
