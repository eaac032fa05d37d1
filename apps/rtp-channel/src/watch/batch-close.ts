import { hasCode, ServiceError } from '@mediaplane/control';
import type { Directory } from '@mediaplane/control';
import type { BatchCloseChannelsResponse, Channel } from '@mediaplane/proto';
import { parseFilter } from '@mediaplane/service';
import { matchesRecord } from './list-channels.ts';

/** Closes on their way at a time. */
const CONCURRENCY = 64;

export type BatchClose = (
  filter: string,
  reasonText: string,
  signal: AbortSignal,
) => Promise<BatchCloseChannelsResponse>;

/** BatchCloseChannels: finds channels in the fleet's directory and has their owners close them. */
export function batchClose(
  directory: Directory<Channel>,
  /** CloseChannel, wherever the owner is. */
  close: (channelId: string, reasonText: string) => Promise<void>,
): BatchClose {
  return async (filter, reasonText, signal) => {
    if (filter.trim() === '') throw ServiceError.invalidField('filter', 'must not be empty');
    const matches = parseFilter(filter);
    const entries = (await directory.list()).filter(({ record }) => matchesRecord(matches, record));
    const failedChannelIds: string[] = [];
    let closedCount = 0;
    const rest = entries.values();
    const closeNext = async (): Promise<void> => {
      for (const { sessionId } of rest) {
        try {
          if (signal.aborted) throw signal.reason;
          await close(sessionId, reasonText);
          closedCount += 1;
        } catch (error) {
          // Somebody else has closed it.
          if (!hasCode(error, 'NOT_FOUND')) failedChannelIds.push(sessionId);
        }
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, closeNext));
    return { closedCount, failedChannelIds };
  };
}
