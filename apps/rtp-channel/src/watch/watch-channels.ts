import { parseSessionId, requireSessionId, ServiceError } from '@mediaplane/control';
import type { Events, WatchItem } from '@mediaplane/control';
import type { Channel, ChannelEvent, WatchChannelsRequest, WatchChannelsResponse } from '@mediaplane/proto';
import { parseFilter } from '@mediaplane/service';
import { matchesRecord } from './list-channels.ts';

const MAX_CHANNEL_IDS = 1000;
const DEFAULT_HEARTBEAT_MS = 10_000;
const MIN_HEARTBEAT_MS = 1000;
const MAX_HEARTBEAT_MS = 60_000;

export type WatchChannels = (
  request: WatchChannelsRequest,
  signal: AbortSignal,
) => AsyncGenerator<WatchChannelsResponse>;

/** WatchChannels: what the event stream tells, in the words of the API. */
export function watchChannels(
  events: Events<Channel, ChannelEvent>,
  isPending: (channelId: string) => boolean,
): WatchChannels {
  return async function* (request, signal) {
    const { resumeToken, channelIds, heartbeatMs } = request;
    if (channelIds.length > MAX_CHANNEL_IDS) {
      throw ServiceError.invalidField('channel_ids', `must have at most ${MAX_CHANNEL_IDS}, has ${channelIds.length}`);
    }
    channelIds.forEach((id, i) => requireSessionId(`channel_ids[${i}]`, id, 'ch'));
    if (heartbeatMs !== 0 && (heartbeatMs < MIN_HEARTBEAT_MS || heartbeatMs > MAX_HEARTBEAT_MS)) {
      const allowed = `must be 0 or ${MIN_HEARTBEAT_MS} to ${MAX_HEARTBEAT_MS} ms, is ${heartbeatMs}`;
      throw ServiceError.invalidField('heartbeat_ms', allowed);
    }
    const matches = parseFilter(request.filter);
    const items = events.watch({
      resumeToken: resumeToken === '' ? undefined : resumeToken,
      sessionIds: channelIds,
      filter: (item) =>
        item.kind === 'session'
          ? matchesRecord(matches, item.record)
          : // The reporter of a lost channel is a survivor; the filter means the owner.
            matches(item.event.labels, parseSessionId(item.sessionId)?.instanceId ?? ''),
      heartbeatMs: heartbeatMs === 0 ? DEFAULT_HEARTBEAT_MS : heartbeatMs,
      signal,
    });
    let channelCount = 0;
    for await (const item of items) {
      if (item.kind === 'session') channelCount += 1;
      yield response(item, channelCount, isPending);
    }
  };
}

function response(
  item: WatchItem<Channel, ChannelEvent>,
  channelCount: number,
  isPending: (channelId: string) => boolean,
): WatchChannelsResponse {
  switch (item.kind) {
    case 'session': {
      const value = { ...item.record, directoryPending: isPending(item.sessionId) };
      return { resumeToken: '', item: { $case: 'channel', value } };
    }
    case 'snapshot-end':
      return { resumeToken: item.resumeToken, item: { $case: 'snapshotEnd', value: { channelCount } } };
    case 'event':
      return { resumeToken: item.resumeToken, item: { $case: 'event', value: item.event } };
    case 'heartbeat':
      return { resumeToken: item.resumeToken, item: { $case: 'heartbeat', value: { heartbeatTime: new Date() } } };
  }
}
