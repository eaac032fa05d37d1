import { describe, expect, test } from '@jest/globals';
import { parseArguments, parseLabels, parseRemote, splitCommand, UsageError } from './arguments.ts';
import type { CommandSpec } from './arguments.ts';

const common: CommandSpec = {
  positionals: [],
  options: { address: { kind: 'text', help: '' }, json: { kind: 'flag', help: '' } },
};

const spec: CommandSpec = {
  positionals: ['channel', 'file?'],
  options: {
    ...common.options,
    loop: { kind: 'number', help: '' },
    label: { kind: 'text', help: '', many: true },
  },
};

describe('the command', () => {
  test.each([
    [['demo', '--json'], 'demo', ['--json']],
    [['--address', 'host:1', 'demo', 'x'], 'demo', ['--address', 'host:1', 'x']],
    [['--json', 'play', 'ch', '--loop', '2'], 'play', ['--json', 'ch', '--loop', '2']],
    [['--help'], undefined, ['--help']],
    [[], undefined, []],
  ])('%j', (words, name, rest) => {
    expect(splitCommand(words, common)).toEqual({ name, rest });
  });
});

describe('arguments', () => {
  test('by name', () => {
    const args = parseArguments(['ch_1', '--loop=-1', '--label', 'a=1', '--label', 'b=2', '--json'], spec);
    expect(args.required('channel')).toBe('ch_1');
    expect(args.optional('file')).toBeUndefined();
    expect(() => args.required('file')).toThrow('<file> is missing');
    expect(args.number('loop')).toBe(-1);
    expect(args.texts('label')).toEqual(['a=1', 'b=2']);
    expect(args.flag('json')).toBe(true);
    expect(args.text('address')).toBeUndefined();
  });

  test.each([
    [[], '<channel> is missing'],
    [['a', 'b', 'c'], '"c" is one argument too many'],
    [['a', '--colour'], "Unknown option '--colour'"],
    [['a', '--loop'], "'--loop <value>' argument missing"],
  ])('%j are refused', (words, message) => {
    const parse = (): unknown => parseArguments(words, spec);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });

  test.each(['', ' ', 'many', 'Infinity', 'NaN'])('"%s" is no number', (text) => {
    const args = parseArguments(['a', `--loop=${text}`], spec);
    expect(() => args.number('loop')).toThrow(`--loop must be a number, is "${text}"`);
  });
});

test('addresses of both families', () => {
  expect(parseRemote('192.0.2.1:4000')).toEqual({ address: '192.0.2.1', rtpPort: 4000 });
  expect(parseRemote('[2001:db8::1]:4000')).toEqual({ address: '2001:db8::1', rtpPort: 4000 });
  for (const bad of ['', 'host', 'host:', ':1', '2001:db8::1:4000', 'host:x']) {
    expect(() => parseRemote(bad)).toThrow(UsageError);
  }
});

test('labels may hold equals signs in their values', () => {
  expect(parseLabels(['a=1', 'b=x=y', 'c='])).toEqual({ a: '1', b: 'x=y', c: '' });
  for (const bad of ['a', '=1', '']) expect(() => parseLabels([bad])).toThrow(UsageError);
});
