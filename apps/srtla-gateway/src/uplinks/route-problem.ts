import { deviceOf, familyOf } from './source-addresses.ts';
import type { Interfaces } from './source-addresses.ts';

export interface RouteQuestion {
  /** Ours. */
  readonly source: string;
  readonly receiver: string;
  /** Of the link: its routing table is called by it. */
  readonly number: number;
  readonly interfaces: Interfaces;
}

/** Why what the source sends would leave by another network than that which has its address; '' when it does not, or cannot be told. */
export type RouteProblem = (question: RouteQuestion) => Promise<string>;

/** Tables up to 252 are free for administrators, and small numbers are taken by habit. */
const FIRST_TABLE = 100;

/** `leavesBy`: what the system answers, null when there is no route at all. `gateway` of the source's device, where it is known. */
export function routeFinding(question: RouteQuestion, leavesBy: string | null, gateway: string | undefined): string {
  const { source, receiver, number, interfaces } = question;
  const home = deviceOf(source, interfaces);
  if (home === undefined || isInternal(home, interfaces) || leavesBy === home) return '';
  // The receiver is on this machine.
  if (leavesBy !== null && isInternal(leavesBy, interfaces)) return '';
  const ip = familyOf(source) === 6 ? 'ip -6' : 'ip';
  const table = FIRST_TABLE + number;
  const fact =
    leavesBy === null
      ? `there is no route from ${source} to ${receiver}`
      : `${source} is an address of ${home}, but what it sends to ${receiver} leaves by ${leavesBy}`;
  const rule = `${ip} rule add from ${source} table ${table}`;
  const route = `${ip} route add default via ${gateway ?? `<gateway of ${home}>`} dev ${home} table ${table}`;
  return `${fact}; to mend it: ${rule} && ${route}`;
}

function isInternal(device: string, interfaces: Interfaces): boolean {
  return interfaces[device]?.some(({ internal }) => internal) ?? false;
}

const DEFAULT_ROUTE = '00000000';

/** The IPv4 gateway of a device, from the text of /proc/net/route: its default route, by whatever metric. */
export function gatewayOf(device: string, routes: string): string | undefined {
  for (const line of routes.split('\n').slice(1)) {
    const [name, destination, gateway] = line.split(/\s+/);
    if (name !== device || destination !== DEFAULT_ROUTE || gateway === DEFAULT_ROUTE) continue;
    // The bytes of a word of this machine, which is little-endian wherever we run.
    return [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16)).join('.');
  }
  return undefined;
}
