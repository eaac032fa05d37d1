/**
 * SRT's stream id: what a caller says of itself in its conclusion (draft-sharabayko-srt-01, section 3.2.1.3), the syntax that
 * appendix B and libsrt's access control guidelines propose for it, and a form of it fit for logs. Publish keys travel in it, in clear.
 */
export const STREAM_ID_MAX_BYTES = 512;

const WORD_BYTES = 4;
const KEYED_PREFIX = '#!::';
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Text of the extension's contents, whose length is a multiple of four. The bytes of every word stand reversed, "32-bit little endian
 * words". The text ends at the first zero, where servers in C end it; bytes that are no UTF-8 become U+FFFD.
 */
export function decodeStreamId(contents: Uint8Array): string {
  const text = reverseWords(contents);
  const end = text.indexOf(0);
  return decoder.decode(end < 0 ? text : text.subarray(0, end));
}

/** The extension's contents for `text`. Throws RangeError above STREAM_ID_MAX_BYTES. */
export function encodeStreamId(text: string): Uint8Array {
  const bytes = encoder.encode(text);
  if (bytes.length > STREAM_ID_MAX_BYTES) {
    throw new RangeError(`A stream id has at most ${STREAM_ID_MAX_BYTES} bytes, this one ${bytes.length}`);
  }
  const padded = new Uint8Array(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES);
  padded.set(bytes);
  return reverseWords(padded);
}

function reverseWords(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, i) => bytes[i ^ (WORD_BYTES - 1)]);
}

/** What a stream id says, by the guidelines' standard keys; null for a key that is not there. */
export interface StreamIdFields {
  /** `r`, or the whole of a stream id that is not in the keyed syntax. */
  readonly resource: string | null;
  /** `u` */
  readonly user: string | null;
  /** `s` */
  readonly session: string | null;
  /** `h` */
  readonly host: string | null;
  /** `m`: request, publish or bidirectional by the guidelines, request when absent. */
  readonly mode: string | null;
  /** `t`: stream, file or auth by the guidelines, stream when absent. */
  readonly type: string | null;
  /** All other keys. */
  readonly other: ReadonlyMap<string, string>;
}

/**
 * Reads `#!::key=value,key=value`; anything else (the guidelines' nested `#!:{` too) is a resource as a whole. A pair without `=` says
 * nothing and is left out. null when a key comes twice: the server behind could heed the other one than whoever authorised it.
 */
export function parseStreamId(text: string): StreamIdFields | null {
  const pairs = new Map<string, string>();
  if (text.startsWith(KEYED_PREFIX)) {
    for (const pair of text.slice(KEYED_PREFIX.length).split(',')) {
      const equals = pair.indexOf('=');
      if (equals < 0) continue;
      const key = pair.slice(0, equals);
      if (pairs.has(key)) return null;
      pairs.set(key, pair.slice(equals + 1));
    }
  } else {
    pairs.set('r', text);
  }
  const take = (key: string): string | null => {
    const value = pairs.get(key) ?? null;
    pairs.delete(key);
    return value;
  };
  return {
    resource: take('r'),
    user: take('u'),
    session: take('s'),
    host: take('h'),
    mode: take('m'),
    type: take('t'),
    other: pairs,
  };
}

/** Words that a value may be and say nothing secret. */
const PUBLIC_VALUES: Readonly<Record<string, readonly string[]>> = {
  m: ['request', 'publish', 'bidirectional'],
  t: ['stream', 'file', 'auth'],
};
const SHOWN_CHARACTERS = 4;
const SHOWN_PAIRS = 16;
const KEY_SYNTAX = /^[a-z][a-z0-9_]{0,15}$/i;

/**
 * A stream id for logs, events and lists: `#!::r=live…(17),m=publish`. Which value is the secret differs between servers (`s`, `u`, and
 * very often `r` or the whole id), so every one is cut to its first quarter, four characters at most, and its length. Keys stay, and the
 * guidelines' words for mode and type. What is not a plain key with a value is cut like one. Of more than 16 pairs the rest is counted.
 * The outcome is printable ASCII but for the ellipsis, on one line.
 */
export function redactStreamId(text: string): string {
  if (!text.startsWith(KEYED_PREFIX)) return redact(text);
  const pairs = text.slice(KEYED_PREFIX.length).split(',');
  const shown = pairs.slice(0, SHOWN_PAIRS).map(redactPair);
  if (pairs.length > SHOWN_PAIRS) shown.push(`…(+${pairs.length - SHOWN_PAIRS})`);
  return KEYED_PREFIX + shown.join(',');
}

function redactPair(pair: string): string {
  const equals = pair.indexOf('=');
  const key = pair.slice(0, Math.max(equals, 0));
  const value = pair.slice(equals + 1);
  // A value of nothing but `=` is the tail of something in Base64.
  if (!KEY_SYNTAX.test(key) || /^=*$/.test(value)) return redact(pair);
  const isPublic = Object.hasOwn(PUBLIC_VALUES, key) && PUBLIC_VALUES[key].includes(value);
  return `${key}=${isPublic ? value : redact(value)}`;
}

function redact(value: string): string {
  const characters = [...value];
  const shown = characters.slice(0, Math.min(SHOWN_CHARACTERS, characters.length >> 2)).join('');
  return `${shown.replace(/[^\x20-\x7e]/g, '?')}…(${characters.length})`;
}
