import { isIP } from 'node:net';
import type { Violations } from '@mediaplane/service';
import { quoted } from '@mediaplane/service';

const NAME = /^[a-z0-9_-]{1,64}$/;
/** RFC 1123 2.1; an underscore, which Kubernetes and many a zone have. */
const HOST = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?\.?$/;
const MAX_PORT = 65_535;

/** Of a listener: also part of keys and paths. */
export function requireName(violations: Violations, field: string, name: string): void {
  if (!NAME.test(name)) violations.add(field, `must be 1 to 64 of a-z, 0-9, _, -, is ${quoted(name)}`);
}

export interface Server {
  readonly host: string;
  readonly port: number;
}

export function requireServer(violations: Violations, field: string, { host, port }: Server): void {
  if (isIP(host) === 0 && !HOST.test(host)) {
    violations.add(`${field}.host`, `must be a host name or an IP address, is ${quoted(host)}`);
  }
  violations.requireRange(`${field}.port`, port, 1, MAX_PORT);
}

/** `host:port` or `[v6]:port`; undefined for what is not. */
export function parseServer(text: string): Server | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  return { host: match[1] ?? match[2], port: Number(match[3]) };
}
