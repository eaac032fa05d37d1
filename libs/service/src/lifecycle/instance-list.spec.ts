import { describe, expect, test } from '@jest/globals';
import { Instance, InstanceState } from '@mediaplane/proto';
import { filteredInstances, instancePage } from './instance-list.ts';

const fleet = [
  Instance.fromPartial({ instanceId: 'c', zone: 'b', state: InstanceState.SERVING, version: '1.0.0' }),
  Instance.fromPartial({ instanceId: 'a', zone: 'a', state: InstanceState.SERVING, version: '1.0.1' }),
  Instance.fromPartial({ instanceId: 'b', zone: 'a', state: InstanceState.DRAINING, version: '1.0.0' }),
];
const ids = (instances: readonly Instance[]): string[] => instances.map((instance) => instance.instanceId);

describe('filters', () => {
  test.each([
    ['', ['c', 'a', 'b']],
    ['state = SERVING', ['c', 'a']],
    ['state=SERVING AND zone = "a"', ['a']],
    ['version = "1.0.0"', ['c', 'b']],
    ['zone = ""', []],
  ])('%s', (filter, expected) => {
    expect(ids(filteredInstances(fleet, filter))).toEqual(expected);
  });

  test.each(['state', 'state = ', 'colour = "x"', 'zone = "a" OR zone = "b"', 'zone = "a" AND'])(
    '%s is refused',
    (filter) => {
      expect(() => filteredInstances(fleet, filter)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    },
  );
});

describe('pages', () => {
  test('follow each other in order of id and end with an empty token', () => {
    const first = instancePage(fleet, 2, '');
    expect([ids(first.instances), first.nextPageToken]).toEqual([['a', 'b'], 'b']);
    const second = instancePage(fleet, 2, first.nextPageToken);
    expect([ids(second.instances), second.nextPageToken]).toEqual([['c'], '']);
  });

  test.each([
    [-1, ''],
    [1001, ''],
    [0, 'no token!'],
  ])('size %d, token "%s" is refused', (size, token) => {
    expect(() => instancePage(fleet, size, token)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
