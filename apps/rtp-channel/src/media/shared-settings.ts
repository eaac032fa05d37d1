import { RTP_LATCH_OPTIONS, type LatchOptions } from '@mediaplane/rtp';
import type { MediaFormats } from './contract.ts';
import { payloadKinds } from './payload-kind.ts';

/** What channels of equal settings hold in common. Bounded, since clients choose the numbers. */
const MAX_SHARED = 256;

export interface SharedFormats {
  readonly formats: MediaFormats;
  /** The kind of every payload type, by number. */
  readonly kinds: Uint8Array;
}

const formatsByKey = new Map<string, SharedFormats>();
const latchOptionsByWindow = new Map<number, LatchOptions>();

function shared<K, V>(cache: Map<K, V>, key: K, make: () => V): V {
  const known = cache.get(key);
  if (known !== undefined) return known;
  if (cache.size >= MAX_SHARED) cache.clear();
  const made = make();
  cache.set(key, made);
  return made;
}

/** Most channels negotiate the same formats: one copy of them serves all on this thread. */
export function shareFormats(formats: MediaFormats): SharedFormats {
  return shared(formatsByKey, JSON.stringify(formats), () => ({ formats, kinds: payloadKinds(formats) }));
}

export function latchOptions(windowMs: number): LatchOptions {
  return shared(latchOptionsByWindow, windowMs, () => ({ ...RTP_LATCH_OPTIONS, windowUs: windowMs * 1000 }));
}
