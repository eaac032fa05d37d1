import type { Events } from '@mediaplane/control';
import type { Channel, ChannelEvent } from '@mediaplane/proto';
import type { LiveChannel } from './live-channel.ts';

export type EventDetail = NonNullable<ChannelEvent['detail']>;

/** Publishes what happens to channels, numbered without gaps for each. */
export class ChannelEvents {
  readonly #instanceId: string;
  readonly #events: Events<Channel, ChannelEvent>;

  constructor(instanceId: string, events: Events<Channel, ChannelEvent>) {
    this.#instanceId = instanceId;
    this.#events = events;
  }

  publish(channel: LiveChannel, detail: EventDetail): void {
    if (channel.muted) return;
    channel.sequence += 1;
    const event: ChannelEvent = {
      eventId: `${channel.id}.${channel.sequence}`,
      channelId: channel.id,
      eventTime: new Date(),
      sequence: channel.sequence,
      instanceId: this.#instanceId,
      labels: channel.labels,
      detail,
    };
    const final = detail.$case === 'closed';
    if (final) channel.muted = true;
    this.#events.publish(channel.id, event, { final });
  }
}
