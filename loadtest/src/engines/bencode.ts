/**
 * Bencoding (BEP 3), the syntax of rtpengine's ng protocol. Strings are bytes on the wire; here they are read and written as
 * UTF-8, which is all that offers, answers and SDP need.
 */

export type Bencoded = number | string | readonly Bencoded[] | { readonly [key: string]: Bencoded };

/** Deeper nesting than any answer of rtpengine has; stops hostile input from exhausting the stack. */
const MAX_DEPTH = 64;
const INTEGER = /^(0|-?[1-9]\d{0,14})$/;
const LENGTH = /^(0|[1-9]\d{0,8})$/;

/** Bytes that are not one bencoded value. */
export class BencodeError extends Error {
  override readonly name = 'BencodeError';
}

/** Keys are sorted by their bytes, as BEP 3 demands. @throws BencodeError for a number that is not a safe integer. */
export function encodeBencode(value: Bencoded): Buffer {
  const parts: Buffer[] = [];
  write(value, parts);
  return Buffer.concat(parts);
}

function write(value: Bencoded, parts: Buffer[]): void {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new BencodeError(`${value} is not a safe integer`);
    parts.push(Buffer.from(`i${value}e`));
  } else if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    parts.push(Buffer.from(`${bytes.length}:`), bytes);
  } else if (isList(value)) {
    parts.push(Buffer.from('l'));
    for (const item of value) write(item, parts);
    parts.push(Buffer.from('e'));
  } else {
    parts.push(Buffer.from('d'));
    for (const key of Object.keys(value).toSorted(byBytes)) {
      write(key, parts);
      write(value[key], parts);
    }
    parts.push(Buffer.from('e'));
  }
}

function isList(value: Bencoded): value is readonly Bencoded[] {
  return Array.isArray(value);
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** @throws BencodeError unless `bytes` is exactly one value */
export function decodeBencode(bytes: Buffer): Bencoded {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (!reader.atEnd) throw new BencodeError('bytes follow the value');
  return value;
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): Bencoded {
    if (depth > MAX_DEPTH) throw new BencodeError(`nested deeper than ${MAX_DEPTH}`);
    if (this.#take('i')) return this.#integer();
    if (this.#take('l')) {
      const list: Bencoded[] = [];
      while (!this.#take('e')) list.push(this.value(depth + 1));
      return list;
    }
    if (this.#take('d')) {
      const entries: [string, Bencoded][] = [];
      while (!this.#take('e')) entries.push([this.#string(), this.value(depth + 1)]);
      return Object.fromEntries(entries);
    }
    return this.#string();
  }

  #take(letter: string): boolean {
    if (this.atEnd) throw new BencodeError('the value is cut short');
    if (this.#bytes[this.#at] !== letter.charCodeAt(0)) return false;
    this.#at += 1;
    return true;
  }

  #integer(): number {
    const digits = this.#until('e');
    if (!INTEGER.test(digits)) throw new BencodeError(`not an integer: ${digits.slice(0, 20)}`);
    return Number(digits);
  }

  #string(): string {
    const digits = this.#until(':');
    if (!LENGTH.test(digits)) throw new BencodeError(`not a length: ${digits.slice(0, 20)}`);
    const end = this.#at + Number(digits);
    if (end > this.#bytes.length) throw new BencodeError('a string is cut short');
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }

  #until(letter: string): string {
    const end = this.#bytes.indexOf(letter, this.#at, 'latin1');
    if (end < 0) throw new BencodeError('the value is cut short');
    const text = this.#bytes.toString('latin1', this.#at, end);
    this.#at = end + 1;
    return text;
  }
}
