import { readFileSync } from 'node:fs';

/** What /proc says of a process and of the machine's sockets. proc(5); Linux only. */

/** USER_HZ: 100 on every Linux that Node runs on, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
/** What `sockstat` counts in, on x64 and on arm64 kernels of the distributions. */
const PAGE_BYTES = 4096;

/** CPU time of all threads of a process, living and ended, in seconds. @throws Error when it has ended. */
export function processCpuSeconds(pid: number): number {
  return parseStatCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** Resident set in bytes. @throws Error when the process has ended. */
export function processRssBytes(pid: number): number {
  return parseStatusBytes(readFileSync(`/proc/${pid}/status`, 'utf8'), 'VmRSS');
}

/** Kernel memory of all UDP sockets of this network namespace. */
export function udpSocketMemoryBytes(): number {
  return parseSockstatUdpBytes(readFileSync('/proc/net/sockstat', 'utf8'));
}

/** utime + stime, fields 14 and 15 of /proc/<pid>/stat. The name, field 2, may hold spaces and parentheses. */
export function parseStatCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // The first of these is field 3.
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!stat.includes(')') || !Number.isFinite(ticks)) throw new Error('this is not /proc/<pid>/stat');
  return ticks / TICKS_PER_SECOND;
}

/** A line of /proc/<pid>/status in kB, as bytes. */
export function parseStatusBytes(status: string, key: string): number {
  const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status);
  if (match === null) throw new Error(`/proc/<pid>/status has no ${key}`);
  return Number(match[1]) * 1024;
}

export function parseSockstatUdpBytes(sockstat: string): number {
  const match = /^UDP: .*\bmem (\d+)/m.exec(sockstat);
  if (match === null) throw new Error('/proc/net/sockstat has no UDP memory');
  return Number(match[1]) * PAGE_BYTES;
}
