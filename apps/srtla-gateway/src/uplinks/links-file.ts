import { isIP } from 'node:net';
import { MAX_LINKS } from '../domain/sender/link-settings.ts';
import { LINK_DEFAULTS, linkKey, linkName, linkViolations, normalizeLink } from './settings.ts';
import type { LinkSettings } from './settings.ts';

/** What a file of links may say: the one place where it stands, also for `--help`. */
export const LINKS_FILE_FORMAT = `One link a line: its source address, then any of these words. "#" begins a comment.
  device=NAME       leave by this network interface; without an address, from one that it has
  name=NAME         how it is called in tables and events (default: its address and device)
  priority=NUMBER   0.1 to 10: its share beside others; 2 gets about twice what 1 gets (default 1)
  cost=NUMBER       0 to 1000: dearer links carry only what cheaper ones have no room for (default 0)
  max=RATE          no more than so many bits a second: 800k, 8M
  cap=BYTES         takes no more data after so many: 500MB, 20GB
  enabled=yes|no    (default yes)
For example
  10.64.1.2     name=lte1 cap=20GB
  device=wwan1  cost=1
`;

/** Something in a file that was not understood, and left out. */
export interface LineProblem {
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

export interface LinksFile {
  readonly links: readonly LinkSettings[];
  readonly problems: readonly LineProblem[];
}

const BYTE_ORDER_MARK = '\ufeff';
const QUANTITY = /^(\d+(?:\.\d+)?)([kKMGT]?)$/;
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const SHOWN_CHARACTERS = 40;

/**
 * Reads the links of a file. A line that does not tell which link it is about is left out; a word that is not understood is left out
 * alone, so that a slip of the pen in an option takes no link from a stream that runs.
 */
export function parseLinksFile(text: string): LinksFile {
  const links: LinkSettings[] = [];
  const problems: LineProblem[] = [];
  const keys = new Map<string, number>();
  const names = new Map<string, number>();
  const lines = (text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).split(/\r\n|\n|\r/);
  lines.forEach((content, i) => {
    const line = i + 1;
    const words = content.replace(/#.*$/, '').split(/\s+/).filter(Boolean);
    if (words.length === 0) return;
    const report = (message: string): void => void problems.push({ line, message });
    let link = parseLine(words, report);
    if (link.address === '' && link.device === '') {
      if (problems.at(-1)?.line !== line) report('tells neither an address nor a device');
      return;
    }
    const twin = keys.get(linkKey(link));
    if (twin !== undefined) return report(`is the link of line ${twin}`);
    if (links.length === MAX_LINKS) return report(`is one more than ${MAX_LINKS} links`);
    const namesake = names.get(linkName(link));
    if (namesake !== undefined) {
      report(`name "${linkName(link)}" is that of line ${namesake}`);
      link = { ...link, name: '' };
      if (names.has(linkName(link))) return;
    }
    keys.set(linkKey(link), line);
    names.set(linkName(link), line);
    links.push(link);
  });
  return { links, problems };
}

function parseLine(words: readonly string[], report: (message: string) => void): LinkSettings {
  let link = LINK_DEFAULTS;
  for (const word of words) {
    const change = parseWord(word);
    if (typeof change === 'string') {
      report(change);
      continue;
    }
    const next = normalizeLink({ ...link, ...change });
    // Violations of what is not there yet are not this word's.
    const wrong = linkViolations(next, '').find(({ field }) => propertyOf(field) in change);
    if (wrong === undefined) link = next;
    // The word says what it is.
    else report(`${shown(word)}: ${wrong.field} ${wrong.description.replace(/, is .*/, '')}`);
  }
  return link;
}

/** Names of the API's fields and of ours differ in style only. */
function propertyOf(field: string): string {
  return field.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** What a word says; a sentence when it says nothing. */
function parseWord(word: string): Partial<LinkSettings> | string {
  const equals = word.indexOf('=');
  if (equals < 0) return isIP(word) === 0 ? `${shown(word)} is neither an IP address nor key=value` : { address: word };
  const value = word.slice(equals + 1);
  switch (word.slice(0, equals)) {
    case 'device':
      return value === '' ? 'device= needs a name' : { device: value };
    case 'name':
      return value === '' ? 'name= needs a name' : { name: value };
    case 'priority':
      return { priority: decimal(value) };
    case 'cost':
      return { cost: decimal(value) };
    case 'max':
      return { maxBitrateBps: quantity(value) };
    case 'cap':
      return { capBytes: quantity(value.replace(/B$/, '')) };
    case 'enabled':
      return value === 'yes' || value === 'no' ? { enabled: value === 'yes' } : `${shown(word)}: must be yes or no`;
    default:
      return `${shown(word)} is not known: device, name, priority, cost, max, cap, enabled`;
  }
}

function decimal(text: string): number {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
}

/** `8M` is 8,000,000. NaN for what is none. */
function quantity(text: string): number {
  const match = QUANTITY.exec(text);
  return match === null ? NaN : Math.round(Number(match[1]) * FACTORS[match[2]]);
}

function shown(word: string): string {
  return JSON.stringify(word.length > SHOWN_CHARACTERS ? `${word.slice(0, SHOWN_CHARACTERS)}…` : word);
}
