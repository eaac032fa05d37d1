import { networkInterfaces } from 'node:os';
import type { UdpSocketHandle } from '@mediaplane/net';
import type { SrtlaEvent } from '../media/contract.ts';
import { BufferNotes } from './buffer-notes.ts';
import { uplinkNotFound } from './errors.ts';
import { isUplinkEvent } from './happening.ts';
import type { AllParts, UplinkParts } from './parts.ts';
import { systemResolve } from './receiver-addresses.ts';
import type { LinkSettings, UplinkSettings } from './settings.ts';
import { systemRouteProblem } from './system-route.ts';
import { Uplink } from './uplink.ts';
import type { LinkChange, UplinkChange } from './uplink.ts';
import type { UplinkView } from './view.ts';

const TEND_MS = 1000;

/**
 * All uplinks of an instance, on the control side: it owns their sockets, knows where their receivers are, and tells what happens.
 * Methods reject with ServiceError. Media events and lost sessions of others are not taken: `onMediaEvent` and `onSessionLost` say so.
 */
export class Uplinks {
  readonly #parts: AllParts;
  readonly #uplinks = new Map<string, Uplink>();
  readonly #timer: NodeJS.Timeout;
  readonly #tending = new Set<string>();
  /** By uplink: what went wrong last, so that it is told once. */
  readonly #complaints = new Map<string, string>();

  constructor(parts: UplinkParts) {
    this.#parts = {
      resolve: systemResolve,
      interfaces: networkInterfaces,
      routeProblem: systemRouteProblem(parts.sockets.capabilities.implementation),
      buffers: new BufferNotes(parts.log),
      onStatistics: () => undefined,
      nowMs: () => performance.now(),
      tendMs: TEND_MS,
      ...parts,
    };
    this.#timer = setInterval(() => this.#tend(), this.#parts.tendMs);
    this.#timer.unref();
  }

  get count(): number {
    return this.#uplinks.size;
  }

  /**
   * Resolves when the encoder can connect; links get their sockets, and the receiver is resolved, as soon as they can be. `used`: what
   * links have carried already, which counts towards their caps, by `linkKey`.
   */
  async create(settings: UplinkSettings, used: ReadonlyMap<string, number> = new Map()): Promise<UplinkView> {
    const uplink = await Uplink.open(this.#parts, settings, used);
    this.#uplinks.set(uplink.id, uplink);
    return uplink.view();
  }

  update(uplinkId: string, change: UplinkChange): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.update(change));
  }

  addLink(uplinkId: string, settings: LinkSettings): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.addLink(settings));
  }

  /** `link`: its name, as `UplinkView` tells it. Its address and device stay what they are. */
  updateLink(uplinkId: string, link: string, change: LinkChange): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.updateLink(link, change));
  }

  removeLink(uplinkId: string, link: string): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.removeLink(link));
  }

  /** Makes the links what the list says: those of the same address and device stay, with what they carry. */
  setLinks(uplinkId: string, links: readonly LinkSettings[]): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.setLinks(links));
  }

  /** What comes from the encoder in the next `durationMs` is precious: it may go out twice. */
  keyFrames(uplinkId: string, durationMs: number): Promise<UplinkView> {
    return this.#with(uplinkId, (uplink) => uplink.keyFrames(durationMs));
  }

  /** Returns it as it was at last. */
  delete(uplinkId: string): Promise<UplinkView> {
    return this.#with(uplinkId, async (uplink) => {
      const last = uplink.view();
      this.#uplinks.delete(uplinkId);
      this.#complaints.delete(uplinkId);
      await uplink.close();
      return last;
    });
  }

  /** With figures that are a second old at the most. @throws ServiceError NOT_FOUND */
  describe(uplinkId: string): UplinkView {
    return this.#get(uplinkId).view();
  }

  list(): UplinkView[] {
    return [...this.#uplinks.values()].map((uplink) => uplink.view());
  }

  /** Returns false for an event of a session that is no uplink's. */
  onMediaEvent(sessionId: string, event: SrtlaEvent): boolean {
    const uplink = this.#uplinks.get(sessionId);
    if (uplink === undefined || !isUplinkEvent(event)) return false;
    uplink.onMediaEvent(event);
    return true;
  }

  /** Takes the sockets of a session that has ended by itself, of an uplink or of one of its links. Returns false when it is neither's. */
  onSessionLost(sessionId: string, handles: readonly UdpSocketHandle[], cause: string): boolean {
    const uplink = this.#uplinks.get(sessionId.split('.', 1)[0]);
    if (uplink === undefined) return false;
    for (const handle of handles) this.#parts.sockets.close(handle);
    uplink.onSessionLost(sessionId, cause);
    return true;
  }

  /** Ends all of them. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const uplinks = [...this.#uplinks.values()];
    this.#uplinks.clear();
    await Promise.all(uplinks.map((uplink) => uplink.close()));
  }

  #tend(): void {
    for (const [uplinkId, uplink] of this.#uplinks) {
      // A media thread that stalls is not asked again before it has answered.
      if (this.#tending.has(uplinkId)) continue;
      this.#tending.add(uplinkId);
      const done = uplink.tend().then(
        () => this.#complaints.delete(uplinkId),
        (error: unknown) => this.#complain(uplinkId, error instanceof Error ? error.message : String(error)),
      );
      void done.finally(() => this.#tending.delete(uplinkId));
    }
  }

  #complain(uplinkId: string, cause: string): void {
    if (this.#complaints.get(uplinkId) === cause || !this.#uplinks.has(uplinkId)) return;
    this.#complaints.set(uplinkId, cause);
    this.#parts.log.error({ uplinkId, cause }, 'an uplink cannot be looked after');
  }

  #get(uplinkId: string): Uplink {
    const uplink = this.#uplinks.get(uplinkId);
    if (uplink === undefined) throw uplinkNotFound(uplinkId);
    return uplink;
  }

  async #with(uplinkId: string, work: (uplink: Uplink) => Promise<UplinkView>): Promise<UplinkView> {
    return work(this.#get(uplinkId));
  }
}
