import { createHash } from 'node:crypto';
import { parseSessionId, ServiceError } from '@mediaplane/control';
import type { Directory } from '@mediaplane/control';
import type { Channel, ListChannelsRequest, ListChannelsResponse } from '@mediaplane/proto';
import type { ChannelFilter } from '../validation/filter.ts';
import { parseFilter } from '../validation/filter.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

export type ListChannels = (request: ListChannelsRequest) => Promise<ListChannelsResponse>;

/** ListChannels: pages of the fleet's directory in order of id. A page token names the last id and the filter it belongs to. */
export function listChannels(directory: Directory<Channel>, isPending: (channelId: string) => boolean): ListChannels {
  return async ({ pageSize, pageToken, filter }) => {
    if (pageSize < 0 || pageSize > MAX_PAGE) {
      throw ServiceError.invalidField('page_size', `must be 0 to ${MAX_PAGE}, is ${pageSize}`);
    }
    const matches = parseFilter(filter);
    const after = lastIdOf(pageToken, filter);
    const size = pageSize === 0 ? DEFAULT_PAGE : pageSize;
    const channels: Channel[] = [];
    for await (const { sessionId, record } of directory.walk(after)) {
      if (!matchesRecord(matches, record)) continue;
      if (channels.length === size) return { channels, nextPageToken: makeToken(channels[size - 1].channelId, filter) };
      channels.push({ ...record, directoryPending: isPending(sessionId) });
    }
    return { channels, nextPageToken: '' };
  };
}

export function matchesRecord(matches: ChannelFilter, record: Channel): boolean {
  return matches(record.settings?.labels ?? {}, record.instanceId);
}

function makeToken(lastId: string, filter: string): string {
  return `${lastId}.${fingerprint(filter)}`;
}

function lastIdOf(token: string, filter: string): string {
  if (token === '') return '';
  const [lastId, print] = token.split('.');
  if (parseSessionId(lastId) === undefined || print !== fingerprint(filter)) {
    throw ServiceError.invalidField('page_token', 'must be the next_page_token of a page of the same filter');
  }
  return lastId;
}

function fingerprint(filter: string): string {
  return createHash('sha256').update(filter).digest('hex').slice(0, 8);
}
