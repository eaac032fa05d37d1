import { Turns } from '@mediaplane/control';
import type { UplinkEvent as MediaEvent, UplinkStatistics } from '../media/uplink-contract.ts';
import { EncoderSocket } from './encoder-socket.ts';
import { apiError, uplinkNotFound } from './errors.ts';
import type { UplinkHappening } from './events.ts';
import { happeningOf } from './happening.ts';
import { LinkSet } from './link-set.ts';
import type { AllParts } from './parts.ts';
import { ReceiverAddresses } from './receiver-addresses.ts';
import { linkKey, linkViolations, normalizeLink, requireUplinkSettings, throwIfWrong } from './settings.ts';
import type { LinkSettings, UplinkSettings } from './settings.ts';
import type { UplinkLink } from './uplink-link.ts';
import type { EncoderView, UplinkView } from './view.ts';

/** With no link up for so long the receiver is looked up again, and the next of its addresses tried. */
const NEXT_ADDRESS_MS = 5000;
export type UplinkChange = Partial<Pick<UplinkSettings, 'receiverHost' | 'receiverPort' | 'mode'>>;
export type LinkChange = Partial<Omit<LinkSettings, 'address' | 'device'>>;

/** One uplink: the encoder's socket, its links, and where the receiver is. What is asked of it is done one thing after the other. */
export class Uplink {
  readonly id: string;
  readonly createdMs = Date.now();
  readonly #parts: AllParts;
  readonly #turns = new Turns();
  readonly #links: LinkSet;
  readonly #receiver: ReceiverAddresses;
  #settings: UplinkSettings;
  #socket: EncoderSocket | undefined;
  #statistics: UplinkStatistics | null = null;
  #pulledMs = 0;
  #encoder: EncoderView | null = null;
  /** Counts the addresses of the receiver that all links have tried in vain. */
  #turn = 0;
  #lostMs: number;
  /** Why the media session has ended; '' while it runs. */
  #lossCause = '';
  #isClosed = false;

  private constructor(parts: AllParts, settings: UplinkSettings, used: ReadonlyMap<string, number>) {
    const { media, sockets, log, buffers, routeProblem, resolve } = parts;
    this.id = parts.newUplinkId();
    this.#parts = parts;
    this.#lostMs = parts.nowMs();
    this.#settings = settings;
    this.#receiver = new ReceiverAddresses(resolve);
    const emit = (happening: UplinkHappening): void => this.#emit(happening);
    this.#links = new LinkSet(
      { media, sockets, log, buffers, routeProblem, uplinkId: this.id, receiver: this.#receiver, emit },
      used,
    );
  }

  /** Resolves when the encoder can connect; the receiver's name and the links' sockets follow. @throws ServiceError */
  static async open(parts: AllParts, settings: UplinkSettings, used: ReadonlyMap<string, number>): Promise<Uplink> {
    requireUplinkSettings(settings);
    const uplink = new Uplink(parts, settings, used);
    try {
      uplink.#socket = await EncoderSocket.open(parts, uplink.id, settings, settings.listenPort);
      for (const link of settings.links) await uplink.#add(normalizeLink(link));
    } catch (error) {
      await uplink.close();
      throw apiError(error);
    }
    uplink.#emit({ type: 'uplink-created' });
    uplink.#look();
    return uplink;
  }

  /** @throws ServiceError */
  update(change: UplinkChange): Promise<UplinkView> {
    return this.#inTurn(async () => {
      const wanted = { ...this.#settings, ...change };
      requireUplinkSettings(wanted);
      const { mode, receiverHost, receiverPort } = this.#settings;
      if (wanted.mode !== mode) await this.#parts.media.command(this.id, 'setUplinkMode', { mode: wanted.mode });
      this.#settings = wanted;
      if (wanted.receiverHost !== receiverHost || wanted.receiverPort !== receiverPort) {
        for (const link of this.#links) await link.closePath();
        this.#receiver.forget();
        this.#look();
      }
      this.#emit({ type: 'uplink-updated' });
    });
  }

  /** @throws ServiceError */
  addLink(settings: LinkSettings): Promise<UplinkView> {
    return this.#inTurn(async () => {
      throwIfWrong(linkViolations(settings, 'link.'));
      await this.#add(normalizeLink(settings));
      await this.#tendLinks();
    });
  }

  /** @throws ServiceError */
  updateLink(name: string, change: LinkChange): Promise<UplinkView> {
    return this.#inTurn(async () => {
      const link = this.#links.find(name);
      const settings = { ...link.settings, ...change };
      throwIfWrong(linkViolations(settings, 'link.'));
      this.#links.requireFreeName(settings, link);
      await this.#change(link, settings);
      await this.#tendLinks();
    });
  }

  /** @throws ServiceError */
  removeLink(name: string): Promise<UplinkView> {
    return this.#inTurn(() => this.#remove(this.#links.find(name)));
  }

  /** Makes the links what the list says: those of the same address and device stay, with what they carry. @throws ServiceError */
  setLinks(wanted: readonly LinkSettings[]): Promise<UplinkView> {
    return this.#inTurn(async () => {
      requireUplinkSettings({ ...this.#settings, links: wanted });
      const settingsOf = new Map(wanted.map(normalizeLink).map((link) => [linkKey(link), link]));
      for (const link of [...this.#links]) {
        const key = linkKey(link.settings);
        const settings = settingsOf.get(key);
        settingsOf.delete(key);
        if (settings === undefined) await this.#remove(link);
        else if (!isSame(settings, link.settings)) await this.#change(link, settings);
      }
      for (const settings of settingsOf.values()) await this.#add(settings);
      await this.#tendLinks();
    });
  }

  /** What comes from the encoder in the next `durationMs` is precious. @throws ServiceError */
  keyFrames(durationMs: number): Promise<UplinkView> {
    return this.#inTurn(async () => {
      await this.#parts.media.command(this.id, 'keyFrames', { durationMs });
    });
  }

  /** Ends it and closes all its sockets. Idempotent. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#isClosed) return;
      this.#isClosed = true;
      await this.#stop();
      this.#emit({ type: 'uplink-deleted' });
    });
  }

  async #stop(): Promise<void> {
    for (const link of this.#links) await link.closePath();
    await this.#socket?.close();
  }

  /** Once a second: asks the media thread, and looks after the links and the receiver's addresses. */
  tend(): Promise<void> {
    return this.#turns.run(async () => {
      if (this.#isClosed) return;
      if (this.#lossCause !== '') await this.#restart();
      await this.#pull();
      const nowMs = this.#parts.nowMs();
      if (this.#links.isAnyLive) this.#lostMs = nowMs;
      if (nowMs - this.#lostMs >= NEXT_ADDRESS_MS) {
        this.#lostMs = nowMs;
        this.#turn += 1;
        for (const link of this.#links) link.forgetTurn();
        this.#look();
      }
      await this.#tendLinks();
      this.#parts.onStatistics(this.view());
    });
  }

  /** Asks where the receiver is. Nothing waits for the answer, which may take its time when the network is away. */
  #look(): void {
    const { receiverHost, receiverPort } = this.#settings;
    this.#receiver.look(receiverHost, receiverPort, (hasChanged) => {
      if (hasChanged) this.#emit({ type: 'receiver-resolved', addresses: this.#receiver.texts() });
      void this.#turns.run(async () => {
        if (!this.#isClosed) await this.#tendLinks();
      });
    });
  }

  async #tendLinks(): Promise<void> {
    const nowMs = this.#parts.nowMs();
    // Before it is turned to another address: perhaps there are others by now.
    if ([...this.#links].some((link) => link.isLongDown(nowMs))) this.#look();
    const now = { nowMs, interfaces: this.#parts.interfaces(), turn: this.#turn };
    for (const link of this.#links) await link.tend(now);
  }

  async #pull(): Promise<void> {
    const statistics = await this.#parts.media.command(this.id, 'uplinkStatistics', null);
    const nowMs = this.#parts.nowMs();
    for (const link of this.#links) {
      const figures = statistics.links.find((each) => each.link === link.number);
      if (figures !== undefined) link.onStatistics(figures, nowMs - this.#pulledMs, Date.now());
    }
    this.#statistics = statistics;
    this.#pulledMs = nowMs;
  }

  async #add(settings: LinkSettings): Promise<void> {
    const link = this.#links.add(settings);
    try {
      await this.#parts.media.command(this.id, 'addLink', link.scheduling);
    } catch (error) {
      this.#links.delete(link);
      throw error;
    }
    this.#emit({ type: 'link-added', ...this.#links.linkOf(link.number) });
  }

  async #change(link: UplinkLink, settings: LinkSettings): Promise<void> {
    const before = link.settings;
    link.settings = settings;
    try {
      await this.#parts.media.command(this.id, 'updateLink', link.scheduling);
    } catch (error) {
      link.settings = before;
      throw error;
    }
    this.#emit({ type: 'uplink-updated' });
  }

  async #remove(link: UplinkLink): Promise<void> {
    // The last of what it has carried.
    await this.#pull();
    const removed = this.#links.linkOf(link.number);
    await this.#parts.media.command(this.id, 'removeLink', { link: link.number });
    await link.closePath();
    this.#links.delete(link);
    this.#emit({ type: 'link-removed', ...removed });
  }

  onMediaEvent(event: MediaEvent): void {
    const happening = happeningOf(event, (number) => this.#links.linkOf(number));
    if (happening.type === 'encoder-up') {
      const { address, streamId, latencyMs } = happening;
      this.#encoder = { address, streamId, latencyMs };
    } else if (happening.type === 'encoder-down') {
      this.#encoder = null;
    }
    this.#emit(happening);
  }

  /** The media thread has given up one of its sessions: it threw, or the thread died. */
  onSessionLost(sessionId: string, cause: string): void {
    if (sessionId !== this.id) {
      for (const link of this.#links) link.onPathLost(sessionId, cause);
      return;
    }
    this.#lossCause = cause;
    this.#encoder = null;
    this.#statistics = null;
    for (const link of this.#links) link.onUplinkLost();
    this.#parts.log.error({ uplinkId: this.id, cause }, 'an uplink has lost its media session');
  }

  async #restart(): Promise<void> {
    const cause = this.#lossCause;
    // The encoder knows the port, also one that the system chose.
    const port = this.#socket?.port ?? this.#settings.listenPort;
    await this.#stop();
    this.#socket = await EncoderSocket.open(this.#parts, this.id, this.#settings, port);
    for (const link of this.#links) await this.#parts.media.command(this.id, 'addLink', link.scheduling);
    this.#lossCause = '';
    this.#emit({ type: 'uplink-restarted', cause });
  }

  view(): UplinkView {
    const links = [...this.#links];
    const bitrateBps = links.reduce((sum, link) => sum + link.bitrateBps, 0);
    return {
      uplinkId: this.id,
      settings: { ...this.#settings, links: links.map(({ settings }) => settings) },
      listenAddress: this.#settings.listenAddress,
      listenPort: this.#socket?.port ?? 0,
      createdMs: this.createdMs,
      registered: this.#statistics?.registered ?? false,
      receiverAddresses: this.#receiver.texts(),
      problem: this.#lossCause === '' ? this.#receiver.problem : this.#lossCause,
      encoder: this.#encoder,
      links: links.map((link) => link.view(bitrateBps)),
      bitrateBps,
      statistics: this.#statistics,
    };
  }

  #emit(happening: UplinkHappening): void {
    this.#parts.onEvent({ ...happening, uplinkId: this.id, unixMs: Date.now() });
  }

  #inTurn(work: () => Promise<void>): Promise<UplinkView> {
    return this.#turns.run(async () => {
      if (this.#isClosed) throw uplinkNotFound(this.id);
      try {
        if (this.#lossCause !== '') await this.#restart();
        await work();
      } catch (error) {
        throw apiError(error);
      }
      return this.view();
    });
  }
}

function isSame(one: LinkSettings, other: LinkSettings): boolean {
  return JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());
}
