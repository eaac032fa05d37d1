import { randomBytes } from 'node:crypto';
import { GROUP_ID_BYTES } from '@mediaplane/srtla';

/** What a sender begins a group with; only its first half will stay. */
export function randomGroupId(): Uint8Array {
  return randomBytes(GROUP_ID_BYTES);
}
