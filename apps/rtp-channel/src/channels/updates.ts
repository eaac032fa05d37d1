import type { UpdateChannelRequest } from '@mediaplane/proto';
import { mediaSettings } from '../validation/settings.ts';
import { updateSettings } from '../validation/settings-update.ts';
import type { Bridges } from './bridges.ts';
import type { ChannelContext } from './channel-context.ts';
import { recordChannel } from './describe.ts';
import type { LiveChannel } from './live-channel.ts';
import type { Opening } from './opening.ts';
import type { RemoteBridges } from './remote-bridges.ts';

/** Mask paths that the media thread does not know of. */
const CONTROL_ONLY: readonly string[] = ['labels', 'max_duration_ms', 'controller_lease_ms'];

/** Changes the settings of a channel, all that a request names or nothing. */
export class Updates {
  readonly #context: ChannelContext;
  readonly #opening: Opening;
  readonly #bridges: Bridges;
  readonly #remoteBridges: RemoteBridges;

  constructor(context: ChannelContext, opening: Opening, bridges: Bridges, remoteBridges: RemoteBridges) {
    this.#context = context;
    this.#opening = opening;
    this.#bridges = bridges;
    this.#remoteBridges = remoteBridges;
  }

  async update(request: UpdateChannelRequest): Promise<void> {
    const renewWith = await this.#context.table.change(request.channelId, (channel) => this.#apply(channel, request));
    // Asks the other instance, which must not be waited for in the channel's turn.
    if (renewWith !== undefined) await this.#remoteBridges.bridge(request.channelId, renewWith, true);
  }

  /** Returns the channel of another instance that the bridge has to be made anew with. */
  async #apply(channel: LiveChannel, request: UpdateChannelRequest): Promise<string | undefined> {
    const { record } = channel;
    if (record.settings === undefined) return undefined;
    const { settings, paths } = updateSettings(record.settings, request, this.#context.rules);
    if (paths.length === 0) return undefined;
    if (paths.some((path) => !CONTROL_ONLY.includes(path))) {
      await this.#context.media.command(channel.id, 'update', mediaSettings(settings));
    }
    record.settings = settings;
    this.#opening.setDeadlines(channel, settings);
    recordChannel(this.#context, channel);
    const updatedPaths = [...paths];
    this.#context.events.publish(channel, {
      $case: 'updated',
      value: { channel: { ...record }, updatedPaths },
    });
    if (!paths.includes('codecs')) return undefined;
    await this.#bridges.renewLocal(channel);
    return channel.bridge?.leg === undefined ? undefined : channel.bridge.peerChannelId;
  }
}
