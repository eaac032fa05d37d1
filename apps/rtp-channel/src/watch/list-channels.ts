import type { Directory } from '@mediaplane/control';
import type { Channel, ListChannelsRequest, ListChannelsResponse } from '@mediaplane/proto';
import { lastIdOf, pageSize, pageToken, parseFilter } from '@mediaplane/service';
import type { SessionFilter } from '@mediaplane/service';

export type ListChannels = (request: ListChannelsRequest) => Promise<ListChannelsResponse>;

/** ListChannels: pages of the fleet's directory in order of id. A page token names the last id and the filter it belongs to. */
export function listChannels(directory: Directory<Channel>, isPending: (channelId: string) => boolean): ListChannels {
  return async (request) => {
    const { filter } = request;
    const size = pageSize(request.pageSize);
    const matches = parseFilter(filter);
    const after = lastIdOf(request.pageToken, filter);
    const channels: Channel[] = [];
    for await (const { sessionId, record } of directory.walk(after)) {
      if (!matchesRecord(matches, record)) continue;
      if (channels.length === size) return { channels, nextPageToken: pageToken(channels[size - 1].channelId, filter) };
      channels.push({ ...record, directoryPending: isPending(sessionId) });
    }
    return { channels, nextPageToken: '' };
  };
}

export function matchesRecord(matches: SessionFilter, record: Channel): boolean {
  return matches(record.settings?.labels ?? {}, record.instanceId);
}
