import type { MediaSession, MediaThread, SessionPort } from '@mediaplane/media';
import { isFrom } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import type { ReplyMemory } from '../domain/receiver/reply-memory.ts';
import { RelayedLink } from '../domain/relay/relayed-link.ts';
import type { RelayEvents, RelayOutput } from '../domain/relay/relayed-link.ts';
import { SealedHellos } from '../tokens/relay-seals.ts';
import { SOCKET_ROLE } from './contract.ts';
import type { SrtlaContract } from './contract.ts';
import { ListenerSession } from './listener-session.ts';
import type { SrtlaSession } from './program.ts';
import type { RelayInit } from './relay-contract.ts';

/** The socket by which one link is handed on to the owner of its group. */
export class RelaySession implements MediaSession<SrtlaContract>, RelayOutput, RelayEvents {
  readonly #thread: MediaThread;
  readonly #port: SessionPort<SrtlaSession, SrtlaContract>;
  readonly #owner: AddressWords;
  readonly #link: RelayedLink;
  #listener: ListenerSession | undefined;
  #nowUs: number;

  /** @throws Error when the listener is gone, or has the address as a link */
  constructor(
    thread: MediaThread,
    memory: ReplyMemory,
    port: SessionPort<SrtlaSession, SrtlaContract>,
    init: RelayInit,
    nowUs: number,
  ) {
    const { bytes, view } = thread.io;
    const { origin, groupId, path, instanceId, linkTimeoutUs } = init;
    const unixMs = (): number => (this.#nowUs + thread.unixOffsetUs) / 1000;
    this.#thread = thread;
    this.#port = port;
    this.#owner = path.to;
    this.#nowUs = nowUs;
    const listener = port.peer(init.listenerId);
    if (!(listener instanceof ListenerSession)) throw new Error(`listener ${init.listenerId} is gone`);
    this.#link = new RelayedLink(
      {
        bytes,
        view,
        memory,
        seals: new SealedHellos(init.keys, unixMs),
        traffic: listener.relayTraffic,
        output: this,
        events: this,
        origin,
        path,
        instanceId,
        groupId,
        linkTimeoutUs,
        firstCounter: Math.floor(unixMs()),
      },
      nowUs,
    );
    if (!listener.addRelay(this, this.#link)) throw new Error('the address is a link here');
    this.#listener = listener;
    port.setDeadline(this.#link.nextDueUs);
  }

  onDatagram(index: number): void {
    const { offset, length, source } = this.#thread.io.batch;
    if (isFrom(this.#owner, source, index)) this.#link.onOwnerDatagram(offset[index], length[index]);
  }

  onFrame(): void {}

  onDeadline(nowUs: number): void {
    this.#nowUs = nowUs;
    this.#link.onDeadline(nowUs);
    this.#port.setDeadline(this.#link.nextDueUs);
  }

  toOwner(offset: number, length: number): void {
    this.#port.queue(SOCKET_ROLE, offset, length, this.#owner);
  }

  toOwnerNow(offset: number, length: number): void {
    this.#port.send(SOCKET_ROLE, offset, length, this.#owner);
  }

  toSender(offset: number, length: number): void {
    this.#listener?.toSender(this.#link.origin, offset, length);
  }

  ownerSilent(): void {
    this.#port.emit({ type: 'relay-owner-silent' });
  }

  senderSilent(): void {
    this.#port.emit({ type: 'relay-sender-silent' });
  }

  /** The listener has ended: nothing comes or goes any more. */
  forgetListener(): void {
    this.#listener = undefined;
  }

  snapshot(): never {
    throw new Error('a relay does not leave its listener');
  }

  close(): null {
    this.lost();
    return null;
  }

  lost(): void {
    this.#listener?.removeRelay(this, this.#link);
    this.#listener = undefined;
  }
}
