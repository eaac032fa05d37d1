import { describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { decide, publicName } from './rules.ts';

const { IngestRefusal } = srtla;
const server = (host: string) => ({ action: { $case: 'server' as const, value: { host, port: 5002 } } });
const rules = srtla.IngestRules.fromPartial({
  rules: [
    { resource: 'live/banned*', then: { action: { $case: 'refuse', value: IngestRefusal.FORBIDDEN } } },
    { resource: 'live/*', then: { ...server('live.example'), streamName: 'live' } },
    { user: 'ann', mode: 'publish', then: { ...server('ann.example'), streamName: 'of {user}' } },
    {
      session: '*',
      then: { action: { $case: 'callback', value: { target: { $case: 'busSubject', value: 'ask.me' } } } },
    },
  ],
});

describe('rules', () => {
  test('the first that matches decides', () => {
    expect(decide(rules, 'live/key', 'main')).toEqual({
      kind: 'accept',
      server: { host: 'live.example', port: 5002 },
      streamName: 'live',
    });
    expect(decide(rules, '#!::r=live/key', 'main')).toMatchObject({ kind: 'accept', streamName: 'live' });
    expect(decide(rules, 'live/banned-7', 'main')).toMatchObject({ kind: 'refuse', refusal: IngestRefusal.FORBIDDEN });
  });

  test('all patterns of a rule have to match', () => {
    expect(decide(rules, '#!::u=ann,m=publish', 'main')).toMatchObject({ kind: 'accept', streamName: 'of ann' });
    expect(decide(rules, '#!::u=ann,m=request', 'main')).toMatchObject({ kind: 'refuse' });
    expect(decide(rules, '#!::u=ann', 'main')).toMatchObject({ kind: 'refuse' });
    expect(decide(rules, '#!::s=token', 'main')).toMatchObject({ kind: 'ask', streamName: 'main' });
  });

  test('what no rule matches is forbidden, and what says nothing unauthorized', () => {
    expect(decide(rules, 'other', 'main')).toMatchObject({ refusal: IngestRefusal.FORBIDDEN });
    expect(decide(rules, null, 'main')).toMatchObject({ refusal: IngestRefusal.UNAUTHORIZED });
    expect(decide(rules, '', 'main')).toMatchObject({ refusal: IngestRefusal.UNAUTHORIZED });
    const withDefault = { ...rules, withoutStreamId: srtla.IngestAction.fromPartial(server('default.example')) };
    expect(decide(withDefault, null, 'main')).toMatchObject({ kind: 'accept', streamName: 'main' });
  });

  test('what can be read in two ways is refused before any rule', () => {
    expect(decide(rules, '#!::r=live/a,r=live/b', 'main')).toMatchObject({ refusal: IngestRefusal.BAD_REQUEST });
  });
});

test('names are printable, short, and of the template alone', () => {
  const fields = {
    resource: '{user}\n\x1b[31m',
    user: 'é',
    session: null,
    host: null,
    mode: null,
    type: null,
    other: new Map(),
  };
  expect(publicName('{resource}', { ...fields, resource: 'a\nb\x1b[31m' }, 'main')).toBe('a_b_[31m');
  expect(publicName('{user}!', fields, 'main')).toBe('_!');
  expect(publicName('{resource}', null, 'main')).toBe('main');
  expect(publicName('x'.repeat(64) + 'y', null, 'main')).toHaveLength(64);
});
