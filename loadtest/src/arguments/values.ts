/** Bad arguments; the message is for the user. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What came on the command line, by option. */
export type Values = Readonly<Partial<Record<string, string | boolean>>>;

/** @throws UsageError naming the argument, its value and what is allowed */
export function oneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw new UsageError(`${name} ${value}: must be one of ${allowed.join(', ')}`);
  return found;
}

/** @throws UsageError */
export function integer(values: Values, name: string, min: number, max: number, byDefault: number): number {
  const value = text(values, name);
  if (value === undefined) return byDefault;
  const number = Number(value);
  if (!/^\d{1,9}$/.test(value) || number < min || number > max) {
    throw new UsageError(`--${name} ${value}: must be a whole number from ${min} to ${max}`);
  }
  return number;
}

export function text(values: Values, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}
