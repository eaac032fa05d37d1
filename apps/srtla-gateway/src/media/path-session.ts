import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { isFrom } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { SenderLink } from '../domain/sender/link.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { PathInit, SrtlaContract } from './contract.ts';
import type { SrtlaSession } from './program.ts';
import { UplinkSession } from './uplink-session.ts';

/** The socket of one of an uplink's links, bound to the address that the link goes out by. */
export class PathSession implements MediaSession<SrtlaContract> {
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #receiver: AddressWords;
  #uplink: UplinkSession | undefined;
  #link: SenderLink | undefined;

  /** @throws Error when the uplink is gone or has no such link */
  constructor(thread: MediaThread, port: SessionPort<SrtlaSession, SrtlaContract>, init: PathInit) {
    this.#thread = thread;
    this.#port = port;
    this.#receiver = init.receiver;
    const uplink = port.peer(init.uplinkId);
    this.#link = uplink instanceof UplinkSession ? uplink.connect(init.link, this) : undefined;
    if (!(uplink instanceof UplinkSession) || this.#link === undefined) {
      throw new Error(`link ${init.link} of uplink ${init.uplinkId} is not there`);
    }
    this.#uplink = uplink;
  }

  onDatagram(index: number, _role: number, nowUs: number): void {
    const { batch } = this.#thread.io;
    if (this.#link === undefined || !isFrom(this.#receiver, batch.source, index)) return;
    this.#uplink?.sender.onLinkDatagram(this.#link, batch.offset[index], batch.length[index], nowUs);
  }

  send(offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, this.#receiver);
  }

  sendNow(offset: number, length: number): void {
    this.#port.send(SOCKET_ROLE, offset, length, this.#receiver);
  }

  /** The uplink has ended: nothing comes or goes any more. */
  forgetUplink(): void {
    this.#uplink = undefined;
    this.#link = undefined;
  }

  onFrame(): void {}

  onDeadline(): void {}

  snapshot(): never {
    throw new Error('a link does not leave its uplink');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    if (this.#link !== undefined) this.#uplink?.disconnect(this.#link.index, this);
    this.forgetUplink();
  }
}
