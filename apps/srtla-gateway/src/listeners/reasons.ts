import { srtla } from '@mediaplane/proto';
import type { IngestEnd } from '../domain/receiver/ingest-state.ts';
import type { GroupDownReason, LinkDownReason as MediaLinkDownReason } from '../domain/receiver/receiver-parts.ts';

const { EndReason, LinkDownReason, StreamEnd } = srtla;

/** What the API calls the ends of groups that a media thread tells. */
export const END_REASONS: Readonly<Record<GroupDownReason, srtla.EndReason>> = {
  'no-stream': EndReason.NO_STREAM,
  'no-links': EndReason.NO_LINKS,
  'stream-ended': EndReason.STREAM_ENDED,
  kicked: EndReason.REQUESTED,
  released: EndReason.MOVED,
};

export const STREAM_ENDS: Readonly<Record<IngestEnd, srtla.StreamEnd>> = {
  encoder: StreamEnd.ENCODER,
  server: StreamEnd.SERVER,
  silence: StreamEnd.SILENCE,
  gateway: StreamEnd.GATEWAY,
};

export const LINK_DOWN_REASONS: Readonly<Record<MediaLinkDownReason, srtla.LinkDownReason>> = {
  silent: LinkDownReason.SILENT,
  moved: LinkDownReason.MOVED,
  'group-down': LinkDownReason.ENDED,
};

/** As logs and metrics write them. */
export const END_REASON_NAMES: Readonly<Record<number, string>> = {
  [EndReason.REQUESTED]: 'requested',
  [EndReason.NO_STREAM]: 'no-stream',
  [EndReason.NO_LINKS]: 'no-links',
  [EndReason.STREAM_ENDED]: 'stream-ended',
  [EndReason.MOVED]: 'moved',
  [EndReason.LISTENER_ENDED]: 'listener-ended',
  [EndReason.SHUTDOWN]: 'shutdown',
  [EndReason.INSTANCE_LOST]: 'instance-lost',
  [EndReason.INTERNAL_ERROR]: 'internal-error',
};
