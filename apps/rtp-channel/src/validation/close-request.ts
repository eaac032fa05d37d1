import { ServiceError } from '@mediaplane/control';

const MAX_REASON_CHARACTERS = 256;

/** @throws ServiceError INVALID_ARGUMENT */
export function validateReason(reasonText: string): string {
  if (reasonText.length > MAX_REASON_CHARACTERS) {
    throw ServiceError.invalidField('reason_text', `must have at most ${MAX_REASON_CHARACTERS} characters`);
  }
  return reasonText;
}
