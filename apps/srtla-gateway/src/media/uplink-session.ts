import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { SocketAddress, plainAddress } from '@mediaplane/net';
import type { Encoder } from '../domain/sender/encoder.ts';
import type { LinkSettings } from '../domain/sender/link-settings.ts';
import type { SenderLink } from '../domain/sender/link.ts';
import { PacketRing } from '../domain/sender/packet-ring.ts';
import { Sender } from '../domain/sender/sender.ts';
import type {
  EncoderLostReason,
  LinkLostReason,
  SenderEvents,
  SenderOutput,
  WeakReason,
} from '../domain/sender/sender-parts.ts';
import { randomGroupId } from '../tokens/random-group-id.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import type { PathSession } from './path-session.ts';
import type { SrtlaSession } from './program.ts';
import { SendOrder } from './send-order.ts';
import type { UplinkInit } from './uplink-contract.ts';
import type { UplinkMemory } from './uplink-memory.ts';

/** One encoder's way out: its socket is where the encoder sends, its links are sessions beside it. */
export class UplinkSession implements MediaSession<SrtlaContract>, SenderOutput, SenderEvents {
  readonly sender: Sender;
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #memory: UplinkMemory;
  readonly #ringBytes: number;
  readonly #ring: number;
  readonly #from = new SocketAddress();
  /** By link: the session with its socket; a link has none until the control side has opened it. */
  readonly #paths: (PathSession | undefined)[] = [];
  #passUs = -Infinity;
  readonly #order = new SendOrder();

  constructor(
    thread: MediaThread,
    memory: UplinkMemory,
    port: SessionPort<SrtlaSession, SrtlaContract>,
    { options }: UplinkInit,
    nowUs: number,
  ) {
    const { bytes, view } = thread.io;
    this.#thread = thread;
    this.#port = port;
    this.#memory = memory;
    this.#ringBytes = PacketRing.bytesFor(options.maxBitrateBps);
    this.#ring = memory.takeRing(this.#ringBytes);
    this.sender = new Sender({
      options,
      bytes,
      view,
      scratch: memory.scratch,
      ring: this.#ring,
      output: this,
      events: this,
      newId: randomGroupId,
    });
    port.setDeadline(nowUs);
  }

  onDatagram(index: number, _role: number, nowUs: number): void {
    const { offset, length, source } = this.#thread.io.batch;
    this.#watchSends(nowUs);
    this.#from.setSource(source, index);
    this.sender.onEncoderDatagram(offset[index], length[index], this.#from, nowUs);
  }

  onLinkDatagram(link: SenderLink, offset: number, length: number, nowUs: number): void {
    this.#watchSends(nowUs);
    this.sender.onLinkDatagram(link, offset, length, nowUs);
  }

  onFrame(): void {}

  onDeadline(nowUs: number): void {
    this.#watchSends(nowUs);
    this.sender.onDeadline(nowUs);
    this.#port.setDeadline(this.sender.nextDueUs);
  }

  removeLink(index: number, nowUs: number): void {
    this.#paths[index]?.forgetUplink();
    this.#paths[index] = undefined;
    this.sender.removeLink(index, nowUs);
  }

  updateLink(index: number, settings: LinkSettings, nowUs: number): void {
    this.sender.updateLink(index, settings, nowUs);
  }

  /** The control side has opened the socket of a link. Returns the link; undefined when there is none of that number. */
  connect(index: number, path: PathSession, nowUs: number): SenderLink | undefined {
    const before = this.#paths[index];
    this.#paths[index] = path;
    const link = this.sender.openPath(index, nowUs);
    if (link === undefined) this.#paths[index] = undefined;
    before?.forgetUplink();
    return link;
  }

  /** The link's socket is about to be closed. */
  disconnect(link: SenderLink, path: PathSession, nowUs = this.#passUs): void {
    if (this.#paths[link.index] !== path) return;
    this.#paths[link.index] = undefined;
    this.sender.closePath(link, nowUs);
  }

  snapshot(): never {
    throw new Error('an uplink does not move');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    this.#memory.giveRing(this.#ring, this.#ringBytes);
    for (const path of this.#paths) path?.forgetUplink();
    this.#paths.length = 0;
  }

  control({ index }: SenderLink, offset: number, length: number): void {
    this.#paths[index]?.sendNow(offset, length);
  }

  /** In the order of the encoder's datagrams, whichever links they go by. */
  toReceiver({ index }: SenderLink, offset: number, length: number): void {
    if (this.#order.next(index, length)) this.#thread.io.flush();
    this.#paths[index]?.send(offset, length);
  }

  toEncoder(offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, this.sender.encoder.address);
  }

  registered(): void {
    this.#port.emit({ type: 'uplink-registered' });
  }

  linkUp({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-link-up', link: index });
  }

  linkDown({ index }: SenderLink, reason: LinkLostReason): void {
    this.#port.emit({ type: 'uplink-link-down', link: index, reason });
  }

  linkRefused({ index }: SenderLink, forGood: boolean): void {
    this.#port.emit({ type: 'uplink-link-refused', link: index, forGood });
  }

  linkWeak({ index }: SenderLink, reason: WeakReason): void {
    this.#port.emit({ type: 'uplink-link-weak', link: index, reason });
  }

  linkStrong({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-link-strong', link: index });
  }

  failover({ index, unproven }: SenderLink): void {
    this.#port.emit({ type: 'uplink-failover', link: index, unprovenPackets: unproven });
  }

  recovered({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-recovered', link: index });
  }

  capReached({ index, settings }: SenderLink): void {
    this.#port.emit({ type: 'uplink-link-cap-reached', link: index, capBytes: settings.capBytes });
  }

  encoderUp({ address, streamId, latencyMs }: Encoder): void {
    this.#port.emit({ type: 'uplink-encoder-up', address: plainAddress(address), streamId, latencyMs });
  }

  encoderDown(reason: EncoderLostReason): void {
    this.#port.emit({ type: 'uplink-encoder-down', reason });
  }

  noLink(): void {
    this.#port.emit({ type: 'uplink-no-link' });
  }

  /** Once a pass: what was queued in the one before has been sent since, or refused. */
  #watchSends(nowUs: number): void {
    if (nowUs === this.#passUs) return;
    this.#passUs = nowUs;
    this.#order.flushed();
    for (const link of this.sender.links) {
      const failed = this.#paths[link.index]?.takeFailedSends() ?? 0;
      if (failed > 0) this.sender.onSendFailures(link, failed, nowUs);
    }
  }
}
