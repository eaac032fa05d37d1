import { ServiceError } from '@mediaplane/control';
import type { Labels } from './labels.ts';

/**
 * Filters of List, Watch and BatchClose, a small part of AIP-160:
 *
 *     filter    = [ condition *( "AND" condition ) ]
 *     condition = label "=" string / label "!=" string / label ":*" / "instance_id" "=" string
 *     label     = "labels." ( 1*( a-z / 0-9 / "_" ) / string )
 *     string    = DQUOTE *( any but DQUOTE and "\" / "\" DQUOTE / "\\" ) DQUOTE
 *
 * `!=` is the opposite of `=`: it also matches sessions that have no such label.
 */
export type SessionFilter = (labels: Labels, instanceId: string) => boolean;

const MAX_FILTER_CHARACTERS = 4096;
const MAX_CONDITIONS = 32;

const matchAll: SessionFilter = () => true;

/** @param field names the filter in errors. @throws ServiceError INVALID_ARGUMENT that says where it went wrong */
export function parseFilter(text: string, field = 'filter'): SessionFilter {
  if (text.length > MAX_FILTER_CHARACTERS) {
    throw ServiceError.invalidField(field, `must have at most ${MAX_FILTER_CHARACTERS} characters`);
  }
  const scanner = new Scanner(text, field);
  if (scanner.atEnd()) return matchAll;
  const conditions = [parseCondition(scanner)];
  while (!scanner.atEnd()) {
    scanner.expect('AND');
    if (conditions.length === MAX_CONDITIONS) scanner.fail(`at most ${MAX_CONDITIONS} conditions`);
    conditions.push(parseCondition(scanner));
  }
  if (conditions.length === 1) return conditions[0];
  return (labels, instanceId) => conditions.every((condition) => condition(labels, instanceId));
}

function parseCondition(scanner: Scanner): SessionFilter {
  if (scanner.take('instance_id')) {
    scanner.expect('=');
    const wanted = scanner.string();
    return (_labels, instanceId) => instanceId === wanted;
  }
  scanner.expect('labels.');
  const key = scanner.labelKey();
  if (scanner.take(':*')) return (labels) => Object.hasOwn(labels, key);
  if (scanner.take('!=')) {
    const unwanted = scanner.string();
    return (labels) => !Object.hasOwn(labels, key) || labels[key] !== unwanted;
  }
  scanner.expect('=');
  const wanted = scanner.string();
  return (labels) => Object.hasOwn(labels, key) && labels[key] === wanted;
}

/** Reads tokens from the left; white space may stand before each. */
class Scanner {
  readonly #text: string;
  readonly #field: string;
  #at = 0;

  constructor(text: string, field: string) {
    this.#text = text;
    this.#field = field;
  }

  atEnd(): boolean {
    this.#skipSpace();
    return this.#at === this.#text.length;
  }

  take(token: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    return true;
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(token);
  }

  labelKey(): string {
    if (this.#text[this.#at] === '"') return this.string();
    const start = this.#at;
    while (this.#at < this.#text.length && /[a-z0-9_]/.test(this.#text[this.#at])) this.#at += 1;
    if (this.#at === start) this.fail('a label key of a-z, 0-9 and _, or one in double quotes');
    return this.#text.slice(start, this.#at);
  }

  string(): string {
    this.expect('"');
    let value = '';
    for (;;) {
      if (this.#at === this.#text.length) this.fail('a closing double quote');
      const character = this.#text[this.#at++];
      if (character === '"') return value;
      if (character !== '\\') {
        value += character;
        continue;
      }
      const escaped = this.#text[this.#at++];
      if (escaped !== '"' && escaped !== '\\') this.fail('\\" or \\\\ after a backslash');
      value += escaped;
    }
  }

  fail(expected: string): never {
    throw ServiceError.invalidField(this.#field, `expected ${expected} at character ${this.#at + 1}`);
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1;
  }
}
