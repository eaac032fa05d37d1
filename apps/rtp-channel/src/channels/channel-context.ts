import type { Directory, Logger } from '@mediaplane/control';
import type { MediaThreads } from '@mediaplane/media';
import type { Channel } from '@mediaplane/proto';
import type { ChannelContract } from '../media/contract.ts';
import type { SettingsRules } from '../validation/settings.ts';
import type { ChannelEvents } from './channel-events.ts';
import type { MediaPorts } from './media-ports.ts';
import type { ChannelTable } from './channel-table.ts';

/** What everything that works on channels needs. */
export interface ChannelContext {
  readonly instanceId: string;
  readonly table: ChannelTable;
  readonly media: MediaThreads<ChannelContract>;
  readonly ports: MediaPorts;
  readonly directory: Directory<Channel>;
  /** The bus is away, and the channel's record is not stored yet: `directory_pending`. */
  isPending(channelId: string): boolean;
  readonly events: ChannelEvents;
  readonly rules: SettingsRules;
  readonly log: Logger;
}
