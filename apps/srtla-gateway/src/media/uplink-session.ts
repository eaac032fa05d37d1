import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { SocketAddress } from '@mediaplane/net';
import { SrtKind, srtKind } from '@mediaplane/srtla';
import { EncoderLock } from '../domain/sender/encoder-lock.ts';
import type { SenderLink } from '../domain/sender/link.ts';
import { Sender } from '../domain/sender/sender.ts';
import type { LinkLostReason, SenderEvents, SenderOutput } from '../domain/sender/sender-parts.ts';
import { randomGroupId } from '../tokens/random-group-id.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract, UplinkInit } from './contract.ts';
import type { PathSession } from './path-session.ts';
import type { SrtlaSession } from './program.ts';
import type { UplinkMemory } from './uplink-memory.ts';

/** One encoder's way out: its socket is where the encoder sends, its links are sessions beside it. */
export class UplinkSession implements MediaSession<SrtlaContract>, SenderOutput, SenderEvents {
  readonly sender: Sender;
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #memory: UplinkMemory;
  readonly #ring: number;
  readonly #lock = new EncoderLock();
  readonly #from = new SocketAddress();
  /** By link: the session with its socket; a link has none until the control side has opened it. */
  readonly #paths: (PathSession | undefined)[] = [];

  constructor(
    thread: MediaThread,
    memory: UplinkMemory,
    port: SessionPort<SrtlaSession, SrtlaContract>,
    init: UplinkInit,
    nowUs: number,
  ) {
    const { bytes, view } = thread.io;
    this.#thread = thread;
    this.#port = port;
    this.#memory = memory;
    this.#ring = memory.takeRing();
    this.sender = new Sender({
      links: init.links,
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
    const { batch, view } = this.#thread.io;
    const { offset, length, source } = batch;
    this.#from.setSource(source, index);
    const isHandshake = srtKind(view, offset[index], length[index]) === SrtKind.handshake;
    if (!this.#lock.admit(this.#from, isHandshake, nowUs)) return;
    this.sender.onEncoderDatagram(offset[index], length[index], nowUs);
  }

  onFrame(): void {}

  onDeadline(nowUs: number): void {
    this.sender.onDeadline(nowUs);
    this.#port.setDeadline(this.sender.nextDueUs);
  }

  /** The control side has opened the socket of a link. Returns the link; undefined when there is none of that number. */
  connect(index: number, path: PathSession): SenderLink | undefined {
    const link = this.sender.links[index];
    if (link !== undefined) this.#paths[index] = path;
    return link;
  }

  disconnect(index: number, path: PathSession): void {
    if (this.#paths[index] === path) this.#paths[index] = undefined;
  }

  snapshot(): never {
    throw new Error('an uplink does not move');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    this.#memory.giveRing(this.#ring);
    for (const path of this.#paths) path?.forgetUplink();
    this.#paths.length = 0;
  }

  control({ index }: SenderLink, offset: number, length: number): void {
    this.#paths[index]?.sendNow(offset, length);
  }

  toReceiver({ index }: SenderLink, offset: number, length: number): void {
    this.#paths[index]?.send(offset, length);
  }

  toEncoder(offset: number, length: number): void {
    if (this.#lock.isSet) this.#port.queue(SOCKET_ROLE, offset, length, this.#lock.current);
  }

  linkUp({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-link-up', link: index });
  }

  failover({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-failover', link: index });
  }

  recovered({ index }: SenderLink): void {
    this.#port.emit({ type: 'uplink-recovered', link: index });
  }

  linkDown({ index }: SenderLink, reason: LinkLostReason): void {
    this.#port.emit({ type: 'uplink-link-down', link: index, reason });
  }
}
