import type { Violations } from './violations.ts';
import { quoted } from './violations.ts';

export type Labels = Readonly<Record<string, string>>;

const MAX_LABELS = 32;
const KEY = /^[a-z0-9_.-]{1,63}$/;
const MAX_VALUE_CHARACTERS = 255;

/** What every session without labels has. */
const NO_LABELS: Record<string, string> = {};

export function normaliseLabels(input: Labels, field: string, violations: Violations): Record<string, string> {
  const keys = Object.keys(input);
  if (keys.length === 0) return NO_LABELS;
  if (keys.length > MAX_LABELS) violations.add(field, `must have at most ${MAX_LABELS} labels, has ${keys.length}`);
  for (const key of keys) {
    if (!KEY.test(key)) violations.add(field, `keys must match [a-z0-9_.-]{1,63}, one is ${quoted(key)}`);
    const { length } = input[key];
    if (length > MAX_VALUE_CHARACTERS) {
      violations.add(`${field}[${quoted(key)}]`, `must have at most ${MAX_VALUE_CHARACTERS} characters, has ${length}`);
    }
  }
  return input;
}
