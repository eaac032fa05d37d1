import { SocketAddress } from '@mediaplane/net';
import type { AddressWords } from '@mediaplane/net';
import { GROUP_ID_BYTES, SrtlaType, isSrtla, srtlaType, writeRegistration } from '@mediaplane/srtla';
import { hexToKey } from '../receiver/registry.ts';
import type { ReplyMemory } from '../receiver/reply-memory.ts';
import { HELLO_INTERVAL_US, RELAY_HELLO_BYTES, RELAY_HELLO_TYPE } from './relay-parts.ts';
import type { RelayPath, RelaySeals, RelayTraffic } from './relay-parts.ts';

/** The owner has said nothing for this long, though its link has: it is asked again whether it knows the link. */
const ASK_AGAIN_US = 1.5e6;
/** ... and for this long: it may be gone. */
const OWNER_SILENT_US = 3e6;

/** Where a relayed link's datagrams leave. Offsets are into the memory that it was made with. */
export interface RelayOutput {
  /** From the relay socket, before the call returns. */
  toOwnerNow(offset: number, length: number): void;
  /** From the relay socket, at the end of the pass at the latest. */
  toOwner(offset: number, length: number): void;
  /** From the listener's socket, at the end of the pass at the latest. */
  toSender(offset: number, length: number): void;
}

export interface RelayEvents {
  /** Nothing has come from the owner for some time; told every second while that is so. */
  ownerSilent(): void;
  /** Nothing has come from the link for as long as a link lives. */
  senderSilent(): void;
}

export interface RelayedLinkParts {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly memory: ReplyMemory;
  readonly seals: RelaySeals;
  readonly traffic: RelayTraffic;
  readonly output: RelayOutput;
  readonly events: RelayEvents;
  /** The link's sender. */
  readonly origin: AddressWords;
  readonly path: RelayPath;
  /** Ours. */
  readonly instanceId: string;
  /** Of its group, in hexadecimal: registers the link with the owner. null: it has not said it, the owner knows it by its origin. */
  readonly groupId: string | null;
  readonly linkTimeoutUs: number;
  /** Of the first HELLO: higher than any that was sent from this socket's address before. */
  readonly firstCounter: number;
}

/**
 * The relaying side of one link: whatever its sender sends goes to the owner of its group as it is, from a socket that serves this link
 * alone, and whatever comes back goes to the sender by the socket that it talks to. Nothing is looked into.
 */
export class RelayedLink {
  /** When there is something to say, or to give up. */
  nextDueUs: number;
  readonly origin: SocketAddress;
  readonly #parts: RelayedLinkParts;
  readonly #groupId: Uint8Array | null;
  #counter: number;
  #heardUs: number;
  /** Since when the link has spoken without a word from the owner; Infinity when it has not. */
  #unansweredUs: number;

  constructor(parts: RelayedLinkParts, nowUs: number) {
    this.#parts = parts;
    this.origin = new SocketAddress().copyFrom(parts.origin);
    this.#groupId = parts.groupId === null ? null : idOf(parts.groupId);
    this.#counter = parts.firstCounter;
    this.#heardUs = nowUs;
    this.#unansweredUs = nowUs;
    this.#sayHello();
    this.#register();
    this.nextDueUs = nowUs + HELLO_INTERVAL_US;
  }

  onSenderDatagram(offset: number, length: number, nowUs: number): void {
    const { view, output, traffic } = this.#parts;
    this.#heardUs = nowUs;
    if (this.#unansweredUs === Infinity) this.#unansweredUs = nowUs;
    // Only we say it, and the owner would have to open it.
    if (isSrtla(view, offset, length) && srtlaType(view, offset) === RELAY_HELLO_TYPE) return;
    traffic.toOwnerPackets += 1;
    traffic.toOwnerBytes += length;
    output.toOwner(offset, length);
  }

  onOwnerDatagram(offset: number, length: number): void {
    const { output, traffic } = this.#parts;
    this.#unansweredUs = Infinity;
    traffic.fromOwnerPackets += 1;
    traffic.fromOwnerBytes += length;
    output.toSender(offset, length);
  }

  onDeadline(nowUs: number): void {
    if (nowUs < this.nextDueUs) return;
    this.nextDueUs = nowUs + HELLO_INTERVAL_US;
    const { events, linkTimeoutUs } = this.#parts;
    if (nowUs - this.#heardUs >= linkTimeoutUs) return events.senderSilent();
    this.#sayHello();
    const unansweredUs = nowUs - this.#unansweredUs;
    if (unansweredUs >= ASK_AGAIN_US) this.#register();
    if (unansweredUs >= OWNER_SILENT_US) events.ownerSilent();
  }

  #sayHello(): void {
    const { bytes, memory, seals, origin, path, instanceId, output } = this.#parts;
    const out = bytes.subarray(memory.reply, memory.reply + RELAY_HELLO_BYTES);
    seals.seal(out, { counter: this.#counter, origin, instanceId }, path);
    this.#counter += 1;
    output.toOwnerNow(memory.reply, RELAY_HELLO_BYTES);
  }

  /** In the name of the link, as it has done itself. */
  #register(): void {
    const { bytes, memory, output } = this.#parts;
    if (this.#groupId === null) return;
    output.toOwnerNow(memory.reply, writeRegistration(bytes, memory.reply, SrtlaType.reg2, this.#groupId));
  }
}

function idOf(groupId: string): Uint8Array {
  const key = hexToKey(groupId);
  return Uint8Array.from({ length: GROUP_ID_BYTES }, (_, i) => key.charCodeAt(i));
}
