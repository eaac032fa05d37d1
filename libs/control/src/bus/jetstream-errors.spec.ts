import { describe, expect, test } from '@jest/globals';
import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/transport-node';
import { fromNatsError } from './jetstream-errors.ts';

const apiError = (errCode: number, description = 'x'): Error =>
  new JetStreamApiError({ code: 500, err_code: errCode, description });

describe('NATS errors', () => {
  test.each([
    [10054, 'INVALID_ARGUMENT'],
    [10047, 'RESOURCE_EXHAUSTED'],
    [10065, 'FAILED_PRECONDITION'],
    // Stream not found, not the leader, temporarily unavailable, not enabled (yet), insufficient peers, one never heard of.
    [10059, 'UNAVAILABLE'],
    [10009, 'UNAVAILABLE'],
    [10008, 'UNAVAILABLE'],
    [10076, 'UNAVAILABLE'],
    [10023, 'UNAVAILABLE'],
    [19999, 'UNAVAILABLE'],
  ])('JetStream %i is %s', (errCode, code) => {
    expect(fromNatsError(apiError(errCode))).toMatchObject({ code });
  });

  test('a store that fails may recover, one that is full stays so', () => {
    expect(fromNatsError(apiError(10077, 'no space left on device'))).toMatchObject({ code: 'UNAVAILABLE' });
    expect(fromNatsError(apiError(10077, 'maximum bytes exceeded'))).toMatchObject({
      code: 'RESOURCE_EXHAUSTED',
      reason: 'BUS_FULL',
      retryAfterMs: 1_000,
    });
  });

  test('a request that is not permitted, one without an answer, and a bug', () => {
    const violation = new errors.PermissionViolationError('no', 'publish', 's');
    const request = new errors.RequestError('no', { cause: violation });
    for (const thrown of [violation, request]) {
      expect(fromNatsError(thrown)).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'BUS_PERMISSION' });
    }
    expect(fromNatsError(new errors.RequestError('no'))).toMatchObject({ code: 'UNAVAILABLE', reason: 'BUS_FAILED' });
    const bug = new TypeError('x');
    expect(fromNatsError(bug)).toBe(bug);
  });
});
