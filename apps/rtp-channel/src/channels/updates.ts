import type { UpdateChannelRequest } from '@mediaplane/proto';
import { mediaSettings } from '../validation/settings.ts';
import { updateSettings } from '../validation/settings-update.ts';
import type { Bridges } from './bridges.ts';
import type { ChannelContext } from './channel-context.ts';
import { recordChannel } from './describe.ts';
import type { Bridge, LiveChannel } from './live-channel.ts';
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
    const { channelId } = request;
    const bridge = await this.#context.table.change(channelId, (channel) => this.#apply(channel, request));
    if (bridge === undefined) return;
    if (bridge.leg === undefined) await this.#bridges.renewLocal(channelId, bridge.peerChannelId);
    else await this.#remoteBridges.renew(channelId, bridge.peerChannelId);
  }

  /** Returns the bridge whose kind may be another now. */
  async #apply(channel: LiveChannel, request: UpdateChannelRequest): Promise<Bridge | undefined> {
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
    return paths.includes('codecs') ? channel.bridge : undefined;
  }
}
