/** Numbers as people read them at a glance; `-` is what is not known. */
export const UNKNOWN = '-';

export function megabits(bps: number): string {
  return (bps / 1e6).toFixed(2);
}

export function milliseconds(value: number): string {
  return value < 0 ? UNKNOWN : `${Math.round(value)} ms`;
}

export function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

export function bytes(value: number): string {
  if (value < 1e6) return `${Math.round(value / 1e3)} kB`;
  return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
}

/** `01:02:03` */
export function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  return [seconds / 3600, (seconds / 60) % 60, seconds % 60]
    .map((part) => String(Math.floor(part)).padStart(2, '0'))
    .join(':');
}
