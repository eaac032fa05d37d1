import type { SendDtmfRequest } from '@mediaplane/proto';
import { quoted, Violations } from '@mediaplane/service';

const DIGITS = /^[0-9*#A-Da-d]{1,64}$/;
const DEFAULT_LENGTH_MS = 100;
const DEFAULT_VOLUME_DBM0 = -13;

export interface DtmfOrder {
  /** Upper case. */
  readonly digits: string;
  readonly digitMs: number;
  readonly gapMs: number;
  readonly volumeDbm0: number;
}

/** @throws ServiceError INVALID_ARGUMENT */
export function validateDtmf(request: SendDtmfRequest): DtmfOrder {
  const violations = new Violations();
  if (!DIGITS.test(request.digits)) {
    violations.add('digits', `must be 1 to 64 of 0-9, *, #, A-D, is ${quoted(request.digits)}`);
  }
  const digitMs = request.digitMs === 0 ? DEFAULT_LENGTH_MS : request.digitMs;
  const gapMs = request.gapMs === 0 ? DEFAULT_LENGTH_MS : request.gapMs;
  const volumeDbm0 = request.volumeDbm0 ?? DEFAULT_VOLUME_DBM0;
  violations.requireRange('digit_ms', digitMs, 40, 5000, 'ms');
  violations.requireRange('gap_ms', gapMs, 20, 5000, 'ms');
  violations.requireRange('volume_dbm0', volumeDbm0, -63, 0, 'dBm0');
  violations.throwIfAny();
  return { digits: request.digits.toUpperCase(), digitMs, gapMs, volumeDbm0 };
}
