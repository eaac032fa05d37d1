import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { isFrom } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { Group } from '../domain/receiver/group.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import type { UpstreamInit } from './listener-contract.ts';
import { ListenerSession } from './listener-session.ts';
import type { SrtlaSession } from './program.ts';

/** A group's socket towards its SRT server. */
export class UpstreamSession implements MediaSession<SrtlaContract> {
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #server: AddressWords;
  #listener: ListenerSession | undefined;
  #group: Group | undefined;

  /** @throws Error when the listener or its group is gone */
  constructor(thread: MediaThread, port: SessionPort<SrtlaSession, SrtlaContract>, init: UpstreamInit, nowUs: number) {
    this.#thread = thread;
    this.#port = port;
    this.#server = init.server;
    const listener = port.peer(init.listenerId);
    this.#group =
      listener instanceof ListenerSession ? listener.connect(init.group, this, init.server, nowUs) : undefined;
    if (!(listener instanceof ListenerSession) || this.#group === undefined) {
      throw new Error(`group ${init.group} of listener ${init.listenerId} is gone`);
    }
    this.#listener = listener;
  }

  onDatagram(index: number, _role: number, nowUs: number): void {
    if (this.#group === undefined || !isFrom(this.#server, this.#thread.io.batch.source, index)) return;
    this.#listener?.onServerDatagram(this.#group, index, nowUs);
  }

  send(offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, this.#server);
  }

  sendNow(offset: number, length: number): void {
    this.#port.send(SOCKET_ROLE, offset, length, this.#server);
  }

  /** The group has ended or has another upstream, or the listener has ended: nothing comes or goes any more. */
  forgetListener(): void {
    this.#listener = undefined;
    this.#group = undefined;
  }

  onFrame(): void {}

  onDeadline(): void {}

  snapshot(): never {
    throw new Error('a group does not leave its listener');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    if (this.#group !== undefined) this.#listener?.disconnect(this.#group, this);
    this.forgetListener();
  }
}
