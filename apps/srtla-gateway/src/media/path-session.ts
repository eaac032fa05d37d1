import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { isFrom } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { SenderLink } from '../domain/sender/link.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import type { SrtlaSession } from './program.ts';
import type { PathInit } from './uplink-contract.ts';
import { UplinkSession } from './uplink-session.ts';

/** The socket of one of an uplink's links, bound to the address that the link goes out by. */
export class PathSession implements MediaSession<SrtlaContract> {
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #receiver: AddressWords;
  #uplink: UplinkSession | undefined;
  #link: SenderLink | undefined;
  #failedSends = 0;

  /** @throws Error when the uplink is gone or has no such link */
  constructor(thread: MediaThread, port: SessionPort<SrtlaSession, SrtlaContract>, init: PathInit, nowUs: number) {
    this.#thread = thread;
    this.#port = port;
    this.#receiver = init.receiver;
    const uplink = port.peer(init.uplinkId);
    if (!(uplink instanceof UplinkSession)) throw new Error(`uplink ${init.uplinkId} is gone`);
    // Before it is known to the link, for that registers by it at once.
    this.#uplink = uplink;
    this.#link = uplink.connect(init.link, this, nowUs);
    if (this.#link === undefined) throw new Error(`uplink ${init.uplinkId} has no link ${init.link}`);
  }

  onDatagram(index: number, _role: number, nowUs: number): void {
    const { batch } = this.#thread.io;
    const link = this.#link;
    if (link === undefined) return;
    if (isFrom(this.#receiver, batch.source, index)) {
      this.#uplink?.onLinkDatagram(link, batch.offset[index], batch.length[index], nowUs);
    } else {
      link.strangers += 1;
      link.stranger.setSource(batch.source, index);
    }
  }

  send(offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, this.#receiver);
  }

  sendNow(offset: number, length: number): void {
    this.#port.send(SOCKET_ROLE, offset, length, this.#receiver);
  }

  /** Sends that the kernel has refused since this was last asked. */
  takeFailedSends(): number {
    const socket = this.#port.socket(SOCKET_ROLE);
    const failed = socket < 0 ? this.#failedSends : this.#thread.io.failedSends(socket);
    const since = failed - this.#failedSends;
    this.#failedSends = failed;
    return since;
  }

  /** The uplink has ended, or the link has, or has another path: nothing comes or goes any more. */
  forgetUplink(): void {
    this.#uplink = undefined;
    this.#link = undefined;
  }

  onFrame(): void {}

  onDeadline(): void {}

  snapshot(): never {
    throw new Error('a link does not leave its uplink');
  }

  close(_closing: null, nowUs: number): null {
    if (this.#link !== undefined) this.#uplink?.disconnect(this.#link, this, nowUs);
    this.forgetUplink();
    return null;
  }

  lost(): void {
    if (this.#link !== undefined) this.#uplink?.disconnect(this.#link, this);
    this.forgetUplink();
  }
}
