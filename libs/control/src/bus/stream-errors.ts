import { ServiceError } from '../errors.ts';

export function sequenceTooOld(wanted: number, first: number): ServiceError {
  return new ServiceError('OUT_OF_RANGE', 'SEQUENCE_TOO_OLD', `sequence ${wanted} is gone, the first kept is ${first}`);
}

export function sequenceUnknown(wanted: number, last: number): ServiceError {
  return new ServiceError('OUT_OF_RANGE', 'SEQUENCE_UNKNOWN', `sequence ${wanted} is beyond the end, ${last}`);
}
