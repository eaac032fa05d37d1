import { hasCode } from '@mediaplane/control';
import { BridgeKind } from '@mediaplane/proto';
import { Role } from '../media/contract.ts';
import type { ChannelContext } from './channel-context.ts';
import { recordChannel } from './describe.ts';
import { apiError } from './errors.ts';
import type { Bridge, LiveChannel, PeerLeg } from './live-channel.ts';

/** Gives the ports of a leg back, when the other end has heard that ours is gone. */
type ReleaseLeg = (channelId: string, peerChannelId: string, leg: PeerLeg) => Promise<void>;

/**
 * Who is bridged with whom. Bridges between two channels of this instance are made here, those across instances in
 * remote-bridges.ts; all of them end here. What the two ends know of each other changes in one step, without waiting in between,
 * so that it needs the turn of one of them only.
 */
export class Bridges {
  readonly #context: ChannelContext;
  readonly #releaseLeg: ReleaseLeg;

  constructor(context: ChannelContext, releaseLeg: ReleaseLeg) {
    this.#context = context;
    this.#releaseLeg = releaseLeg;
  }

  /** Both channels of this instance. What either was bridged with before, it is bridged with no more. */
  async bridgeLocal(channelId: string, peerChannelId: string): Promise<void> {
    await this.#context.table.changeBoth(channelId, peerChannelId, async (channel, peer) => {
      if (channel.bridge?.peerChannelId === peer.id) return;
      await this.leave(channel);
      await this.leave(peer);
      await this.#context.media.bringTogether(channel.id, peer.id);
      await this.#join(channel, peer);
    });
  }

  /** The codecs of one of the two have changed: payloads may pass as they are now, or no longer. Not in the turn of either. */
  async renewLocal(channelId: string, peerChannelId: string): Promise<void> {
    const { table, log } = this.#context;
    try {
      await table.inBothTurns(channelId, peerChannelId, async (channel, peer) => {
        if (channel.bridge?.peerChannelId !== peer.id || peer.bridge?.peerChannelId !== channel.id) return;
        await this.#join(channel, peer);
      });
    } catch (error) {
      if (!hasCode(apiError(error), 'NOT_FOUND'))
        log.warn({ channelId, peerChannelId, error }, 'cannot renew a bridge');
    }
  }

  /** Ends the bridge that a channel has, if any. In its turn. */
  async leave(channel: LiveChannel): Promise<void> {
    // An instance that is being asked for a leg now answers too late.
    channel.pendingLeg = undefined;
    const { bridge } = channel;
    if (bridge === undefined) return;
    await this.#context.media.command(channel.id, 'unbridge', null);
    if (bridge.leg !== undefined) await this.#context.media.detach(channel.id, Role.peerLeg);
    this.unlink(channel);
  }

  /** The media threads have done their part: so the channel is bridged, tell it. */
  link(channel: LiveChannel, bridge: Bridge): void {
    const before = channel.bridge;
    channel.bridge = bridge;
    channel.record.peerChannelId = bridge.peerChannelId;
    if (before?.peerChannelId === bridge.peerChannelId && before.kind === bridge.kind) return;
    const kind = bridge.kind === 'relay' ? BridgeKind.RELAY : BridgeKind.TRANSCODE;
    this.#context.events.publish(channel, {
      $case: 'bridged',
      value: { peerChannelId: bridge.peerChannelId, kind, remoteInstance: bridge.leg !== undefined },
    });
    recordChannel(this.#context, channel);
  }

  /** The media threads have done their part, or are gone: so the channel is bridged no more, nor is the other one. */
  unlink(channel: LiveChannel): void {
    const { bridge } = channel;
    if (bridge === undefined) return;
    const peer = this.#localPeer(channel);
    this.#forget(channel, bridge.peerChannelId);
    if (peer?.bridge?.peerChannelId === channel.id) {
      this.#forget(peer, channel.id);
      if (channel.lostCause !== undefined) void this.#freeSurvivor(peer.id);
    }
    if (bridge.leg !== undefined) {
      // Waited for without the channel's turn: the other end may be waiting for ours.
      channel.legRelease = this.#releaseLeg(channel.id, bridge.peerChannelId, bridge.leg);
    }
  }

  /** The other session of the bridge was lost without a word: this one must not go on sending to it. */
  async #freeSurvivor(channelId: string): Promise<void> {
    const { table, media, log } = this.#context;
    try {
      await table.inTurn(channelId, async ({ bridge }) => {
        // Another bridge, made meanwhile, has ended the old one.
        if (bridge === undefined) await media.command(channelId, 'unbridge', null);
      });
    } catch (error) {
      // Both are gone when it was their thread that died.
      if (!hasCode(apiError(error), 'NOT_FOUND'))
        log.warn({ channelId, error }, 'cannot part it from the one that was lost');
    }
  }

  #forget(channel: LiveChannel, peerChannelId: string): void {
    channel.bridge = undefined;
    channel.record.peerChannelId = '';
    this.#context.events.publish(channel, { $case: 'unbridged', value: { peerChannelId } });
    if (channel.closing === undefined) recordChannel(this.#context, channel);
  }

  #localPeer({ bridge }: LiveChannel): LiveChannel | undefined {
    if (bridge === undefined || bridge.leg !== undefined) return undefined;
    return this.#context.table.get(bridge.peerChannelId);
  }

  async #join(channel: LiveChannel, peer: LiveChannel): Promise<void> {
    const { kind } = await this.#context.media.command(channel.id, 'bridge', { peerChannelId: peer.id });
    this.link(channel, { peerChannelId: peer.id, kind, leg: undefined });
    this.link(peer, { peerChannelId: channel.id, kind, leg: undefined });
  }
}
