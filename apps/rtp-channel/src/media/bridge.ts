import type { AddressWords } from '@mediaplane/net';
import type { RtpHeader } from '@mediaplane/rtp';
import type { ChannelSession } from './channel-session.ts';
import { Role, type MediaFormats } from './contract.ts';
import { kindOf, LEG_PAYLOAD_TYPE, type AudioKind, type PayloadKind } from './payload-kind.ts';
import type { ThreadTools } from './thread-tools.ts';

const MARKER_BIT = 0x80;

export type BridgeKind = 'relay' | 'transcode';

/** Sends on what a channel heard. */
export interface Relay {
  /** The packet of `length` bytes at `offset` of the arena may be rewritten in place. */
  relay(kind: Exclude<PayloadKind, 0>, offset: number, length: number, header: RtpHeader, nowUs: number): void;
}

/** The far side of a bridge, as the channel that received a packet sees it. */
export interface Bridge {
  readonly kind: BridgeKind;
  /** The local channel on the other side, if it is one. */
  readonly peer: ChannelSession | null;
  /** Where the private leg leads, if it is one. */
  readonly legAddress: AddressWords | null;
  readonly relay: Relay;
}

/** Relay where what one side accepts is what the other sends, both ways. */
function kindOfBridge(
  a: { sends: AudioKind; hears: MediaFormats },
  b: { sends: AudioKind; hears: MediaFormats },
): BridgeKind {
  const same =
    a.sends === kindOf(b.hears.receive[0] ?? b.hears.send) && b.sends === kindOf(a.hears.receive[0] ?? a.hears.send);
  return same ? 'relay' : 'transcode';
}

function side(formats: MediaFormats): { sends: AudioKind; hears: MediaFormats } {
  return { sends: kindOf(formats.send), hears: formats };
}

/** To a channel of the same thread. */
export class LocalBridge implements Bridge {
  readonly peer: ChannelSession;
  readonly legAddress = null;
  readonly relay: Relay;
  readonly #own: ChannelSession;

  constructor(own: ChannelSession, peer: ChannelSession) {
    this.#own = own;
    this.peer = peer;
    this.relay = peer.outbound;
  }

  get kind(): BridgeKind {
    return kindOfBridge(side(this.#own.settings.formats), side(this.peer.settings.formats));
  }
}

/** To a channel of another instance, by a private UDP leg. */
export class LegBridge implements Bridge {
  readonly kind: BridgeKind;
  readonly peer = null;
  readonly legAddress: AddressWords;
  readonly relay: Relay;

  constructor(tools: ThreadTools, own: ChannelSession, address: AddressWords, peerFormats: MediaFormats) {
    this.legAddress = address;
    this.kind = kindOfBridge(side(own.settings.formats), side(peerFormats));
    this.relay = new PrivateLeg(tools, own, address);
  }
}

/**
 * RTP to another instance: as it came in, with the static payload types of `LEG_PAYLOAD_TYPE`. The line of the far leg (SSRC,
 * sequence, timestamp, codec) is made there.
 */
class PrivateLeg implements Relay {
  readonly #tools: ThreadTools;
  readonly #own: ChannelSession;
  readonly #to: AddressWords;

  constructor(tools: ThreadTools, own: ChannelSession, to: AddressWords) {
    this.#tools = tools;
    this.#own = own;
    this.#to = to;
  }

  relay(kind: Exclude<PayloadKind, 0>, offset: number, length: number, header: RtpHeader): void {
    const { view } = this.#tools.io;
    view.setUint8(offset + 1, (header.marker ? MARKER_BIT : 0) | LEG_PAYLOAD_TYPE[kind]);
    this.#own.port.send(Role.peerLeg, offset, length, this.#to);
  }
}
