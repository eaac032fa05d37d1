import { expect, test } from '@jest/globals';
import { ServiceError } from '../errors.ts';
import { isRefusal, Refusals } from './refusals.ts';

const FULL = ServiceError.exhausted('NO_CAPACITY', 'this instance holds 3 of 3', 1_000);
const NO_PORTS = ServiceError.exhausted('PORTS_EXHAUSTED', 'no free port', 1_000);
const DRAINING = ServiceError.unavailable('DRAINING', 'this instance takes no new sessions');
const AWAY = ServiceError.unavailable('INSTANCE_AWAY', 'instance b does not answer');

function commonOf(...refusals: ServiceError[]): ServiceError | undefined {
  const refused = new Refusals();
  refusals.forEach((refusal, i) => refused.add(String(i), refusal));
  return refused.common;
}

test('what all instances said of themselves is what the caller gets to hear', () => {
  expect(commonOf()).toBeUndefined();
  expect(commonOf(NO_PORTS)).toBe(NO_PORTS);
  expect(commonOf(DRAINING, DRAINING)).toBe(DRAINING);
  expect(commonOf(NO_PORTS, FULL)).toBeUndefined();
});

test('that one is not there is nothing to tell the caller', () => {
  expect(commonOf(AWAY, AWAY)).toBeUndefined();
  expect(commonOf(NO_PORTS, AWAY)).toBeUndefined();
  for (const refusal of [FULL, NO_PORTS, DRAINING, AWAY]) expect(isRefusal(refusal)).toBe(true);
  expect(isRefusal(ServiceError.unavailable('BUS_AWAY', 'no bus'))).toBe(false);
});
