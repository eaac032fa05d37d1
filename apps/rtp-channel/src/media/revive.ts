function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !ArrayBuffer.isView(value);
}

/**
 * Fills a fresh object of a protocol class with the state of another one that came by structured clone, which keeps fields
 * and loses prototypes. Objects inside `target` are filled in place, everything else is taken over.
 */
export function revive<T extends object>(target: T, state: unknown): T {
  const fields = target as Record<string, unknown>;
  if (!isRecord(state)) return target;
  for (const [name, value] of Object.entries(state)) {
    const present = fields[name];
    if (isRecord(present) && isRecord(value)) revive(present, value);
    else fields[name] = value;
  }
  return target;
}
