import { createHash } from 'node:crypto';
import { parseSessionId, ServiceError } from '@mediaplane/control';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

/** Entries of a page (AIP-158). @throws ServiceError INVALID_ARGUMENT */
export function pageSize(wanted: number): number {
  if (wanted < 0 || wanted > MAX_PAGE) {
    throw ServiceError.invalidField('page_size', `must be 0 to ${MAX_PAGE}, is ${wanted}`);
  }
  return wanted === 0 ? DEFAULT_PAGE : wanted;
}

/** Names the last session of a page in order of id, and the query it belongs to. */
export function pageToken(lastId: string, query: string): string {
  return `${lastId}.${fingerprint(query)}`;
}

/** '' for the first page. @throws ServiceError INVALID_ARGUMENT for a token of another query */
export function lastIdOf(token: string, query: string): string {
  if (token === '') return '';
  const [lastId, print] = token.split('.');
  if (parseSessionId(lastId) === undefined || print !== fingerprint(query)) {
    throw ServiceError.invalidField('page_token', 'must be the next_page_token of a page of the same query');
  }
  return lastId;
}

function fingerprint(query: string): string {
  return createHash('sha256').update(query).digest('hex').slice(0, 8);
}
