import type { Violations } from '@mediaplane/service';

/** Ports that groups reach their SRT servers from, both inclusive. After a restart a group must find its own free. */
export interface UpstreamRange {
  readonly portMin: number;
  readonly portMax: number;
}

/** `port`: that somebody sends to; 0 lets the system choose, from its ephemeral range. */
export function requireOutside(
  violations: Violations,
  field: string,
  port: number,
  { portMin, portMax }: UpstreamRange,
): void {
  if (port < portMin || port > portMax) return;
  const why = 'from which groups reach their SRT servers (upstream.portMin to portMax)';
  violations.add(field, `must not be one of ${portMin} to ${portMax}, ${why}, is ${port}`);
}
