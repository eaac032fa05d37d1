import type { MediaSource, PlaybackItem, StartPlaybackRequest } from '@mediaplane/proto';
import { quoted, Violations } from '@mediaplane/service';
import { relativePathProblem } from './relative-path.ts';

const MAX_ITEMS = 64;
const MAX_LOOPS = 10_000;
const MAX_INLINE_BYTES = 256 * 1024;

export type PlaybackSource = { readonly file: string } | { readonly inline: Uint8Array };

export interface PlaybackPart {
  readonly source: PlaybackSource;
  /** Of the source, for errors that show when it is read: `items[0].source.file`. */
  readonly field: string;
  /** Of its start, likewise. */
  readonly startField: string;
  readonly startMs: number;
  /** Infinity: the end. */
  readonly stopMs: number;
  readonly plays: number;
}

export interface PlaybackOrder {
  readonly parts: readonly PlaybackPart[];
  readonly plays: number;
  readonly interruptOnDtmf: boolean;
}

/** @throws ServiceError INVALID_ARGUMENT */
export function validatePlayback(request: StartPlaybackRequest): PlaybackOrder {
  const violations = new Violations();
  const { items } = request;
  if (items.length < 1 || items.length > MAX_ITEMS) {
    violations.add('items', `must have 1 to ${MAX_ITEMS} entries, has ${items.length}`);
  }
  const inlineBytes = items.reduce((sum, { source }) => sum + inlineLength(source), 0);
  if (inlineBytes > MAX_INLINE_BYTES) {
    violations.add('items', `must have at most ${MAX_INLINE_BYTES} bytes inline, has ${inlineBytes}`);
  }
  const parts = items.slice(0, MAX_ITEMS).map((item, i) => validateItem(item, `items[${i}]`, violations));
  const plays = loopCount(request.loopCount, 'loop_count', violations);
  violations.throwIfAny();
  return { parts, plays, interruptOnDtmf: request.interruptOnDtmf };
}

function validateItem(item: PlaybackItem, field: string, violations: Violations): PlaybackPart {
  const { startMs, stopMs } = item;
  if (startMs < 0) violations.add(`${field}.start_ms`, `must be at least 0 ms, is ${startMs}`);
  if (stopMs !== 0 && stopMs <= startMs) {
    violations.add(`${field}.stop_ms`, `must be 0 or above start_ms, ${startMs}, is ${stopMs}`);
  }
  const source = validateSource(item.source, `${field}.source`, violations);
  return {
    source,
    field: `${field}.source.${'file' in source ? 'file' : 'inline'}`,
    startField: `${field}.start_ms`,
    startMs,
    stopMs: stopMs === 0 ? Number.POSITIVE_INFINITY : stopMs,
    plays: loopCount(item.loopCount, `${field}.loop_count`, violations),
  };
}

function validateSource(source: MediaSource | undefined, field: string, violations: Violations): PlaybackSource {
  const given = source?.source;
  if (given === undefined) {
    violations.add(field, 'must have file or inline');
    return { file: '' };
  }
  if (given.$case === 'inline') {
    if (given.value.length === 0) violations.add(`${field}.inline`, 'must not be empty');
    return { inline: given.value };
  }
  const problem = relativePathProblem(given.value);
  if (problem !== undefined) violations.add(`${field}.file`, `${problem}, is ${quoted(given.value)}`);
  return { file: given.value };
}

function inlineLength(source: MediaSource | undefined): number {
  return source?.source?.$case === 'inline' ? source.source.value.length : 0;
}

/** 0 and 1: once; -1: endlessly. */
function loopCount(count: number, field: string, violations: Violations): number {
  violations.requireRange(field, count, -1, MAX_LOOPS);
  return count === -1 ? Number.POSITIVE_INFINITY : Math.max(count, 1);
}
