/** What ts-proto generates for a message, narrowed to what this library needs of it. */
export interface Codec<T> {
  encode(message: T): { finish(): Uint8Array };
  decode(bytes: Uint8Array): T;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * For this library's own small records (heartbeats, leases, claims). `parse` must take any JSON value and fill in what is
 * missing: a record may come from a version before or after this one.
 */
export function jsonCodec<T>(parse: (value: unknown) => T): Codec<T> {
  return {
    encode: (message) => ({ finish: () => encoder.encode(JSON.stringify(message)) }),
    decode: (bytes) => parse(JSON.parse(decoder.decode(bytes))),
  };
}

/** Readers for untrusted JSON: a missing or mistyped member becomes its default. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

export function asString(value: unknown, fallback = ''): string {
  return typeof value === 'string' ? value : fallback;
}

export function asNumber(value: unknown, fallback = 0): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : fallback;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
