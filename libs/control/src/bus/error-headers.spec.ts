import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ERROR_CODES, ServiceError } from '../errors.ts';
import { errorFromHeaders, errorToHeaders } from './error-headers.ts';

const plain = ({ code, reason, message, fieldViolations, retryAfterMs, metadata }: ServiceError): object => ({
  code,
  reason,
  message,
  fieldViolations,
  retryAfterMs,
  metadata,
});

describe('errors in headers', () => {
  test('any error comes back as it was, in single-line values', () => {
    const violation = fc.record({ field: fc.string(), description: fc.string({ unit: 'binary' }) });
    const details = fc.record(
      {
        fieldViolations: fc.array(violation, { maxLength: 3 }),
        retryAfterMs: fc.nat(),
        metadata: fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.string()),
      },
      { requiredKeys: [] },
    );
    const reason = fc.stringMatching(/^[A-Z_]{1,20}$/);
    fc.assert(
      fc.property(
        fc.constantFrom(...ERROR_CODES),
        reason,
        fc.string({ unit: 'binary' }),
        details,
        (code, why, message, more) => {
          const error = new ServiceError(code, why, message, more);
          const headers = errorToHeaders(error);
          for (const value of Object.values(headers)) expect(value).not.toMatch(/[\r\n]/);
          const back = errorFromHeaders(headers);
          expect(back && JSON.stringify(plain(back))).toBe(JSON.stringify(plain(error)));
        },
      ),
    );
  });

  test('an error of a newer version keeps what is known of it', () => {
    const back = errorFromHeaders({
      'Mp-Error-Code': 'FLUX_EXHAUSTED',
      'Mp-Error-Reason': 'NO_FLUX',
      'Mp-Error-Details': '{"retryAfterMs":"soon","fieldViolations":[{"path":"x"},7],"colour":"red"}',
    });
    expect(back).toMatchObject({ code: 'UNKNOWN', reason: 'NO_FLUX', retryAfterMs: undefined });
    expect(back?.fieldViolations).toEqual([
      { field: '', description: '' },
      { field: '', description: '' },
    ]);
  });

  test('no headers make it throw', () => {
    const names = fc.constantFrom('Mp-Error-Code', 'Mp-Error-Reason', 'Mp-Error-Message', 'Mp-Error-Details');
    fc.assert(
      fc.property(fc.dictionary(names, fc.oneof(fc.string(), fc.json())), (headers) => {
        expect(errorFromHeaders(headers) === undefined).toBe(headers['Mp-Error-Code'] === undefined);
      }),
    );
  });
});
