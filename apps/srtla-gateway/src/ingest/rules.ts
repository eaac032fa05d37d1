import { srtla } from '@mediaplane/proto';
import { parseStreamId } from '@mediaplane/srtla';
import type { StreamIdFields } from '@mediaplane/srtla';
import { fits } from './pattern.ts';
import type { Refusal } from './refusals.ts';

const { IngestRefusal } = srtla;
const MAX_NAME_CHARACTERS = 64;

/** What is to be done with a stream. */
export type Decision =
  | { readonly kind: 'accept'; readonly server: srtla.SrtServer; readonly streamName: string }
  | { readonly kind: 'refuse'; readonly refusal: Refusal; readonly text: string }
  | { readonly kind: 'ask'; readonly callback: srtla.IngestCallback; readonly streamName: string };

/** null: a stream id that can be read in two ways, or none at all. */
export type Fields = StreamIdFields | null;

export function fieldsOf(streamId: string | null): Fields {
  return streamId === null ? null : parseStreamId(streamId);
}

/** What the rules of a listener say to a stream id; null when the encoder gave none. `fallbackName`: of streams without a name. */
export function decide(rules: srtla.IngestRules, streamId: string | null, fallbackName: string): Decision {
  if (streamId === null || streamId === '') {
    if (rules.withoutStreamId === undefined) return refuse(IngestRefusal.UNAUTHORIZED, 'no stream id');
    return decisionOf(rules.withoutStreamId, null, fallbackName);
  }
  const fields = parseStreamId(streamId);
  if (fields === null) return refuse(IngestRefusal.BAD_REQUEST, 'the stream id has a key twice');
  const rule = rules.rules.find((candidate) => matches(candidate, fields));
  if (rule?.then === undefined) return refuse(IngestRefusal.FORBIDDEN, 'no rule matches');
  return decisionOf(rule.then, fields, fallbackName);
}

function matches(rule: srtla.IngestRule, fields: StreamIdFields): boolean {
  const fit = (pattern: string, value: string | null): boolean =>
    pattern === '' || (value !== null && fits(pattern, value));
  return (
    fit(rule.resource, fields.resource) &&
    fit(rule.user, fields.user) &&
    fit(rule.session, fields.session) &&
    fit(rule.mode, fields.mode)
  );
}

function decisionOf({ action, streamName }: srtla.IngestAction, fields: Fields, fallbackName: string): Decision {
  const name = publicName(streamName, fields, fallbackName);
  switch (action?.$case) {
    case 'server':
      return { kind: 'accept', server: action.value, streamName: name };
    case 'callback':
      return { kind: 'ask', callback: action.value, streamName: name };
    default:
      return refuse(action?.value ?? IngestRefusal.FORBIDDEN, 'a rule refuses it');
  }
}

function refuse(refusal: Refusal, text: string): Decision {
  return { kind: 'refuse', refusal, text };
}

/** A name for lists and pages: printable, on one line, of a length that tables can bear. */
export function publicName(template: string, fields: Fields, fallbackName: string): string {
  const filled = template.replace(/\{(resource|user)\}/g, (_, part: 'resource' | 'user') => fields?.[part] ?? '');
  const name = filled
    .replace(/[^\x20-\x7e]/gu, '_')
    .slice(0, MAX_NAME_CHARACTERS)
    .trim();
  return name === '' ? fallbackName : name;
}
