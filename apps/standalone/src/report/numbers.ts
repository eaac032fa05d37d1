/** Numbers as people read them. What was not measured is a dash. */
const UNKNOWN = '–';

export function milliseconds(value: number | undefined, digits = 2): string {
  return value === undefined ? UNKNOWN : `${value.toFixed(digits)} ms`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/** `share` is 0 to 1. */
export function percent(share: number | undefined): string {
  return share === undefined ? UNKNOWN : `${(share * 100).toFixed(0)} %`;
}

export function score(mos: number | undefined): string {
  return mos === undefined ? UNKNOWN : mos.toFixed(2);
}

export function decibels(dbfs: number): string {
  return Number.isFinite(dbfs) ? `${dbfs.toFixed(1)} dBFS` : 'silence';
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

export function count(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** To two significant digits: an estimate that says no more than it knows. */
export function about(value: number): string {
  return count(Number(value.toPrecision(2)));
}

export function text(value: string): string {
  return value === '' ? UNKNOWN : value;
}

/** `[██████░░░░]`; `share` is 0 to 1. */
export function progressBar(share: number, columns: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, share)) * columns);
  return `[${'█'.repeat(filled)}${'░'.repeat(columns - filled)}]`;
}
