import { isIPv6 } from 'node:net';
import { MediaError } from '@mediaplane/media';
import { NetError, createUdpSockets } from '@mediaplane/net';
import type { UdpSocketHandle, UdpSocketOptions, UdpSockets } from '@mediaplane/net';
import type { LinkStatistics, UplinkCommands, UplinkStatistics } from '../media/uplink-contract.ts';
import type { UplinkEvent } from './events.ts';
import type { UplinkMedia } from './parts.ts';
import type { Interfaces } from './source-addresses.ts';

/** Interfaces as the system would tell them; `lo` is internal. */
export function interfacesOf(addresses: Readonly<Record<string, readonly string[]>>): Interfaces {
  const info = (address: string, device: string) => {
    const common = { address, netmask: '', mac: '', internal: device === 'lo', cidr: null };
    return isIPv6(address)
      ? { ...common, family: 'IPv6' as const, scopeid: 0 }
      : { ...common, family: 'IPv4' as const };
  };
  return Object.fromEntries(
    Object.entries(addresses).map(([device, texts]) => [device, texts.map((address) => info(address, device))]),
  );
}

/** Real sockets of this machine, whose devices are those that a test says: binding to one is only remembered. */
export class DevicelessSockets implements UdpSockets {
  readonly #sockets = createUdpSockets('native');
  readonly capabilities = this.#sockets.capabilities;
  readonly devices: string[] = [];
  forbidsDevices = false;

  async open({ device, ...options }: UdpSocketOptions): Promise<UdpSocketHandle> {
    if (device !== undefined) {
      if (this.forbidsDevices) throw new NetError('permission-denied', `device ${device}`);
      this.devices.push(device);
    }
    return this.#sockets.open(options);
  }

  close(handle: UdpSocketHandle): void {
    this.#sockets.close(handle);
  }

  kernelDrops(handle: UdpSocketHandle): number {
    return this.#sockets.kernelDrops(handle);
  }
}

/** Events as they come, and a wait for one that fits. */
export class EventLog {
  readonly all: UplinkEvent[] = [];
  #waiting: (() => void)[] = [];

  push(event: UplinkEvent): void {
    this.all.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** The first that fits, also of those that came before. */
  async until(fits: (event: UplinkEvent) => boolean): Promise<UplinkEvent> {
    for (;;) {
      const found = this.all.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  types(): string[] {
    return this.all.map(({ type }) => type);
  }
}

type Call = readonly [session: string, what: string, args: unknown];

/** Media threads that only remember what they were asked. */
export class FakeMedia implements UplinkMedia {
  readonly calls: Call[] = [];
  readonly sessions = new Set<string>();
  readonly links = new Map<number, LinkStatistics>();
  /** Why sessions cannot be opened; empty: they can. */
  refuses = '';

  async open(sessionId: string, sockets: readonly unknown[], init: unknown): Promise<null> {
    if (this.refuses !== '') throw new Error(this.refuses);
    this.calls.push([sessionId, `open ${sockets.length}`, init]);
    this.sessions.add(sessionId);
    return null;
  }

  async command<K extends keyof UplinkCommands & string>(
    sessionId: string,
    name: K,
    args: UplinkCommands[K]['args'],
  ): Promise<UplinkCommands[K]['result']> {
    if (!this.sessions.has(sessionId)) throw new MediaError('no-such-session', `no session ${sessionId}`);
    if (name !== 'uplinkStatistics') this.calls.push([sessionId, name, args]);
    return name === 'uplinkStatistics' ? { ...NOTHING, links: [...this.links.values()] } : null;
  }

  async close(sessionId: string): Promise<null> {
    if (!this.sessions.delete(sessionId)) throw new Error(`no session ${sessionId}`);
    this.calls.push([sessionId, 'close', null]);
    return null;
  }

  /** What was asked, without arguments: `up_1 addLink`. */
  get asked(): string[] {
    return this.calls.map(([session, what]) => `${session} ${what}`);
  }

  argumentsOf(what: string): unknown[] {
    return this.calls.filter((call) => call[1] === what).map((call) => call[2]);
  }

  setLink(link: number, figures: Partial<LinkStatistics>): void {
    this.links.set(link, { ...IDLE_LINK, link, ...this.links.get(link), ...figures });
  }
}

export const IDLE_LINK: Omit<LinkStatistics, 'link'> = {
  state: 'closed',
  hasPath: true,
  suspect: false,
  weak: null,
  capReached: false,
  rttMs: -1,
  window: 20_000,
  inFlightPackets: 0,
  packets: 0,
  bytes: 0,
  receivedBytes: 0,
  naks: 0,
  bitrateBps: 0,
  estimateBps: 0,
  heardAgoMs: -1,
  failedSends: 0,
  strangers: 0,
  stranger: null,
};

const NOTHING: UplinkStatistics = {
  mode: 'enhanced',
  registered: false,
  encoder: null,
  latencyMs: 120,
  packets: 0,
  bytes: 0,
  retransmitted: 0,
  resent: 0,
  expired: 0,
  duplicates: 0,
  dropped: 0,
  strangers: 0,
  malformed: 0,
  unexpected: 0,
  refusals: 0,
  answers: 0,
  answerCopies: 0,
  answersOfOthers: 0,
  links: [],
};
