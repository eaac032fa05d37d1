import { readFileSync } from 'node:fs';
import type { CommonConfig } from '../config/common-config.ts';
import type { SessionNeeds } from './capacity.ts';

/** Something about the machine that will hurt, and what to do about it. */
export interface Advice {
  readonly topic: 'nofile' | 'rmem_max' | 'port-range' | 'clock';
  readonly message: string;
}

/** Reads a small file of /proc; undefined where there is none. */
export type ReadProc = (path: string) => string | undefined;

/** No clock of a running machine stands before this product was written. */
const EARLIEST_UNIX_MS = Date.UTC(2026, 0, 1);

export const readProc: ReadProc = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

/** Soft limit of open files of this process. */
export function maxDescriptors(read: ReadProc): number | undefined {
  const match = /^Max open files\s+(\d+|unlimited)/m.exec(read('/proc/self/limits') ?? '');
  if (match === null) return undefined;
  return match[1] === 'unlimited' ? Infinity : Number(match[1]);
}

/** Advice about the machine; empty when all is well or the system does not tell. */
export function startChecks(config: CommonConfig, needs: SessionNeeds, read: ReadProc, unixMs: number): Advice[] {
  const advice: Advice[] = [];
  const descriptors = maxDescriptors(read);
  const wanted = config.capacity.maxSessions * needs.descriptors + 256;
  if (descriptors !== undefined && descriptors < wanted) {
    const message = `open files are limited to ${descriptors}, ${config.capacity.maxSessions} sessions need ${wanted}: raise ulimit -n`;
    advice.push({ topic: 'nofile', message });
  }
  const rmemMax = Number(read('/proc/sys/net/core/rmem_max') ?? Infinity);
  if (rmemMax < config.net.receiveBufferBytes) {
    const message = `net.core.rmem_max is ${rmemMax}, sockets ask for ${config.net.receiveBufferBytes}: sysctl -w net.core.rmem_max=${config.net.receiveBufferBytes}`;
    advice.push({ topic: 'rmem_max', message });
  }
  const { rtpPortMin, rtpPortMax } = config.net;
  if (needs.ports > 0) advice.push(...portRangeAdvice(rtpPortMin, rtpPortMax, read));
  if (unixMs < EARLIEST_UNIX_MS) {
    const message = `the clock says ${new Date(unixMs).toISOString()}: event times and certificates will be wrong; set it`;
    advice.push({ topic: 'clock', message });
  }
  return advice;
}

/** Of ports that must be free when they are wanted: those that the system gives out itself may not be. Both ends inclusive. */
export function portRangeAdvice(minPort: number, maxPort: number, read: ReadProc): Advice[] {
  const [low, high] = (read('/proc/sys/net/ipv4/ip_local_port_range') ?? '').trim().split(/\s+/).map(Number);
  if (!(low <= maxPort && high >= minPort)) return [];
  const reserved = (read('/proc/sys/net/ipv4/ip_local_reserved_ports') ?? '').trim();
  if (covers(reserved, Math.max(low, minPort), Math.min(high, maxPort))) return [];
  const range = `${minPort}-${maxPort}`;
  const message = `ports ${range} overlap the ephemeral range ${low}-${high}, so others may take them: sysctl -w net.ipv4.ip_local_reserved_ports=${range}`;
  return [{ topic: 'port-range', message }];
}

/** Whether one range of `list` (`10000-29999,40000`) holds all of low..high. */
function covers(list: string, low: number, high: number): boolean {
  return list.split(',').some((entry) => {
    const [from, to = from] = entry.split('-').map(Number);
    return from <= low && to >= high;
  });
}
