import { setTimeout as delay } from 'node:timers/promises';
import { hasCode, hasReason, parseSessionId, ServiceError } from '@mediaplane/control';
import type {
  AttachPeerLegRequest,
  AttachPeerLegResponse,
  Channel,
  Codecs,
  DetachPeerLegRequest,
  DetachPeerLegResponse,
  TransportAddress,
} from '@mediaplane/proto';
import { Role } from '../media/contract.ts';
import { DEFAULT_CODECS, mediaFormats } from '../validation/codecs.ts';
import { addressWords } from '../validation/remote-endpoint.ts';
import type { Bridges } from './bridges.ts';
import type { ChannelContext } from './channel-context.ts';
import { describeChannel } from './describe.ts';
import { apiError } from './errors.ts';
import type { LegReleases } from './leg-releases.ts';
import type { LiveChannel, OpenLeg } from './live-channel.ts';
import type { PeerWatch } from './peer-watch.ts';
import { randomId } from './random-id.ts';

const CROSSED_ATTEMPTS = 4;
const CROSSED_DELAY_MS = 25;

/** Calls to the instance that owns the other channel (RtpPeerService). */
export interface PeerCalls {
  attach(request: AttachPeerLegRequest): Promise<AttachPeerLegResponse>;
  detach(request: DetachPeerLegRequest): Promise<DetachPeerLegResponse>;
}

/**
 * Bridges with channels of other instances, over a private UDP leg.
 *
 * A channel's turn is never held while the other instance is asked, or two bridges that cross would wait for each other. So the
 * caller notes the leg it asks for, asks, and takes its turn again: if the note has changed by then, another bridge was faster
 * and this one is taken back. When both ends ask each other at once, the one whose channel has the lower id prevails.
 */
export class RemoteBridges {
  readonly #context: ChannelContext;
  readonly #bridges: Bridges;
  readonly #peers: PeerCalls;
  readonly #legReleases: LegReleases;
  readonly #watch: Pick<PeerWatch, 'add' | 'remove'>;

  constructor(
    context: ChannelContext,
    bridges: Bridges,
    peers: PeerCalls,
    legReleases: LegReleases,
    watch: Pick<PeerWatch, 'add' | 'remove'>,
  ) {
    this.#context = context;
    this.#bridges = bridges;
    this.#peers = peers;
    this.#legReleases = legReleases;
    this.#watch = watch;
  }

  isRemote(channelId: string): boolean {
    return parseSessionId(channelId)?.instanceId !== this.#context.instanceId;
  }

  /** Returns the other channel, unless they were bridged already. */
  async bridge(channelId: string, peerChannelId: string): Promise<Channel | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(channelId, peerChannelId);
      } catch (error) {
        // The other end is bridging the same two channels; its leg will be here in a moment.
        if (!hasReason(error, 'BRIDGE_CROSSED') || attempt === CROSSED_ATTEMPTS) throw error;
        await delay(CROSSED_DELAY_MS * attempt);
      }
    }
  }

  async #attempt(channelId: string, peerChannelId: string): Promise<Channel | undefined> {
    const { table, ports } = this.#context;
    const legId = randomId('leg_');
    const asked = await table.change(channelId, async (channel) => {
      if (channel.bridge?.peerChannelId === peerChannelId) return undefined;
      await this.#bridges.leave(channel);
      const leg: OpenLeg = { legId, ports: await this.#openLeg(channel) };
      channel.pendingLeg = { legId, peerChannelId, peerCodecs: undefined };
      return { channel, leg };
    });
    if (asked === undefined) return undefined;
    const { channel, leg } = asked;
    let mayBeAttached = true;
    // What happens to the other channel after it has answered is not to be missed.
    this.#watch.add(channelId, peerChannelId);
    try {
      const answer = await this.#peers
        .attach({
          channelId: peerChannelId,
          peerChannelId: channelId,
          legId,
          callerAddress: this.#legAddress(channel, leg),
          callerCodecs: codecsOf(channel),
        })
        .catch((error: unknown) => {
          mayBeAttached = !hasCode(error, 'NOT_FOUND') && !hasReason(error, 'BRIDGE_CROSSED');
          throw error;
        });
      await table.change(channelId, async () => {
        const { pendingLeg } = channel;
        if (pendingLeg?.legId !== legId) {
          throw new ServiceError('ABORTED', 'BRIDGE_SUPERSEDED', 'another bridge was made, or the other channel left');
        }
        channel.pendingLeg = undefined;
        const peerCodecs = pendingLeg.peerCodecs ?? answer.calledCodecs;
        await this.#join(channel, peerChannelId, leg, answer.calledAddress, peerCodecs);
      });
      return answer.channel;
    } catch (error) {
      if (channel.pendingLeg?.legId === legId) channel.pendingLeg = undefined;
      if (channel.bridge?.peerChannelId !== peerChannelId) this.#watch.remove(channelId, peerChannelId);
      if (mayBeAttached) void this.#legReleases.release(peerChannelId, leg);
      else ports.release(leg.ports);
      throw error;
    }
  }

  /** Another instance wants one of our channels. */
  onAttach(request: AttachPeerLegRequest): Promise<AttachPeerLegResponse> {
    return this.#context.table.change(request.channelId, async (channel) => {
      const crossed = channel.pendingLeg?.peerChannelId === request.peerChannelId;
      if (crossed && channel.id < request.peerChannelId) {
        throw new ServiceError('ABORTED', 'BRIDGE_CROSSED', 'the two channels are being bridged from the other end');
      }
      await this.#bridges.leave(channel);
      const leg: OpenLeg = { legId: request.legId, ports: await this.#openLeg(channel) };
      try {
        await this.#join(channel, request.peerChannelId, leg, request.callerAddress, request.callerCodecs);
      } catch (error) {
        this.#context.ports.release(leg.ports);
        throw error;
      }
      return {
        calledAddress: this.#legAddress(channel, leg),
        calledCodecs: codecsOf(channel),
        channel: await describeChannel(this.#context, channel),
      };
    });
  }

  /** The other instance has released its end. */
  async onDetach({ channelId, legId }: DetachPeerLegRequest): Promise<DetachPeerLegResponse> {
    await this.#context.table.inTurn(channelId, async (channel) => {
      if (channel.pendingLeg?.legId === legId) channel.pendingLeg = undefined;
      if (channel.bridge?.leg?.legId === legId) await this.#bridges.leave(channel);
    });
    return {};
  }

  /** The other channel has ended, or its instance was lost. */
  async onPeerEnded(channelId: string, peerChannelId: string): Promise<void> {
    const { table, log } = this.#context;
    this.#watch.remove(channelId, peerChannelId);
    if (table.get(channelId) === undefined) return;
    try {
      await table.inTurn(channelId, async (channel) => {
        if (channel.pendingLeg?.peerChannelId === peerChannelId) channel.pendingLeg = undefined;
        if (channel.bridge?.peerChannelId === peerChannelId) await this.#bridges.leave(channel);
      });
    } catch (error) {
      log.warn({ channelId, peerChannelId, error }, 'cannot end the bridge with a channel that is gone');
    }
  }

  /**
   * The codecs of our channel have changed, or those of the other one, to `peerCodecs`. What crosses the leg stays as it is, so
   * the other instance need not be asked, and nothing is to fail: only the kind of the bridge may be another.
   */
  async renew(channelId: string, peerChannelId: string, peerCodecs?: Codecs): Promise<void> {
    const { table, media, log } = this.#context;
    try {
      await table.inTurn(channelId, async (channel) => {
        const { bridge, pendingLeg } = channel;
        if (pendingLeg?.peerChannelId === peerChannelId) pendingLeg.peerCodecs = peerCodecs ?? pendingLeg.peerCodecs;
        if (bridge?.leg === undefined || bridge.peerChannelId !== peerChannelId) return;
        const { peerAddress } = bridge.leg;
        const peerFormats = peerCodecs === undefined ? bridge.leg.peerFormats : mediaFormats(peerCodecs);
        const { kind } = await media.command(channelId, 'bridgeLeg', { peerAddress, peerFormats });
        this.#bridges.link(channel, { peerChannelId, kind, leg: { ...bridge.leg, peerFormats } });
      });
    } catch (error) {
      if (!hasCode(apiError(error), 'NOT_FOUND'))
        log.warn({ channelId, peerChannelId, error }, 'cannot renew a bridge');
    }
  }

  async #join(
    channel: LiveChannel,
    peerChannelId: string,
    leg: OpenLeg,
    peerAddress: TransportAddress | undefined,
    peerCodecs: Codecs | undefined,
  ): Promise<void> {
    if (peerAddress === undefined) throw ServiceError.invalidField('caller_address', 'must be set');
    const { media } = this.#context;
    await media.attach(channel.id, { role: Role.peerLeg, handle: leg.ports.rtp });
    try {
      const far = {
        peerAddress: addressWords(peerAddress),
        peerFormats: mediaFormats(peerCodecs ?? DEFAULT_CODECS),
      };
      const { kind } = await media.command(channel.id, 'bridgeLeg', far);
      this.#bridges.link(channel, { peerChannelId, kind, leg: { ...leg, ...far } });
      this.#watch.add(channel.id, peerChannelId);
    } catch (error) {
      await media.detach(channel.id, Role.peerLeg).catch(() => undefined);
      throw error;
    }
  }

  #openLeg(channel: LiveChannel) {
    return this.#context.ports.openPeerLeg(interfaceOf(channel));
  }

  #legAddress(channel: LiveChannel, leg: OpenLeg): TransportAddress {
    return { address: this.#context.ports.addresses(interfaceOf(channel)).private, port: leg.ports.rtp.port };
  }
}

function interfaceOf(channel: LiveChannel): string {
  return channel.record.settings?.interface ?? '';
}

function codecsOf(channel: LiveChannel): Codecs {
  return channel.record.settings?.codecs ?? DEFAULT_CODECS;
}
