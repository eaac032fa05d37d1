import type { AddressWords } from '@mediaplane/net';
import type { LinkStatistics } from '../media/uplink-contract.ts';
import type { UplinkHappening } from './events.ts';
import { LinkPath } from './link-path.ts';
import type { PathParts } from './link-path.ts';
import type { AllParts } from './parts.ts';
import type { ReceiverAddresses } from './receiver-addresses.ts';
import { LinkTroubles } from './link-troubles.ts';
import { linkName } from './settings.ts';
import type { LinkSettings } from './settings.ts';
import { addressesOf, familyOf } from './source-addresses.ts';
import type { Interfaces } from './source-addresses.ts';
import type { LinkPhase, LinkView } from './view.ts';

/** A link that does not come up gets another socket, and another address of the receiver, after so long, then twice as long. */
const REOPEN_FIRST_MS = 10_000;
const REOPEN_MAX_MS = 120_000;
/** Keepalives of all links are less: of them nobody has a share. */
const IDLE_BPS = 20_000;

export interface LinkParts extends PathParts, Pick<AllParts, 'log'> {
  readonly uplinkId: string;
  readonly receiver: ReceiverAddresses;
  emit(happening: UplinkHappening): void;
}

/** What the uplink knows in the second at hand. */
export interface Surroundings {
  readonly nowMs: number;
  readonly interfaces: Interfaces;
  /** Goes up when all links are lost, and all are to try the next address of the receiver. */
  readonly turn: number;
}

/** One link of an uplink: gets it a socket and keeps it in one, for as long as the link is enabled. */
export class UplinkLink {
  readonly number: number;
  settings: LinkSettings;
  /** What it had carried before the media thread began to count. */
  usedBefore: number;
  #upSinceMs = 0;
  #naksPerSecond = 0;
  readonly #parts: LinkParts;
  #statistics: LinkStatistics | null = null;
  #path: LinkPath | undefined;
  #paths = 0;
  readonly #troubles: LinkTroubles;
  /** When it was last up, or got its socket. */
  #lostMs = -Infinity;
  #reopenAfterMs = REOPEN_FIRST_MS;
  /** Its own, beside that of the uplink: while others are up. */
  #turn = 0;

  constructor(parts: LinkParts, number: number, settings: LinkSettings, usedBefore: number) {
    this.#parts = parts;
    this.number = number;
    this.settings = settings;
    this.usedBefore = usedBefore;
    this.#troubles = new LinkTroubles((trouble) => parts.emit({ ...trouble, link: { number, name: this.name } }));
  }

  get name(): string {
    return linkName(this.settings);
  }

  get isLive(): boolean {
    return this.#statistics?.state === 'live';
  }

  get bitrateBps(): number {
    return this.#statistics?.bitrateBps ?? 0;
  }

  /** It has a socket, and has had no use of it for long: so long that it is to get another. */
  isLongDown(nowMs: number): boolean {
    const isCapped = this.#statistics?.capReached ?? false;
    return this.#path !== undefined && !this.isLive && !isCapped && nowMs - this.#lostMs >= this.#reopenAfterMs;
  }

  get usedBytes(): number {
    const { bytes = 0, receivedBytes = 0 } = this.#statistics ?? {};
    return this.usedBefore + bytes + receivedBytes;
  }

  /** What the media thread is told: of its cap only what is left, for that counts from zero. */
  get scheduling(): { readonly link: number; readonly settings: Omit<LinkSettings, 'name' | 'address' | 'device'> } {
    const { enabled, priority, cost, maxBitrateBps, capBytes } = this.settings;
    const left = capBytes === 0 ? 0 : Math.max(capBytes - this.usedBefore, 1);
    return { link: this.number, settings: { enabled, priority, cost, maxBitrateBps, capBytes: left } };
  }

  /** As the media thread tells it, `elapsedMs` after the last time. */
  onStatistics(statistics: LinkStatistics, elapsedMs: number, unixMs: number): void {
    const naks = statistics.naks - (this.#statistics?.naks ?? 0);
    this.#naksPerSecond = elapsedMs > 0 ? (naks * 1000) / elapsedMs : 0;
    this.#statistics = statistics;
    if (!this.isLive) this.#upSinceMs = 0;
    else if (this.#upSinceMs === 0) this.#upSinceMs = unixMs;
  }

  /** The media thread counts from zero again. */
  onUplinkLost(): void {
    this.usedBefore = this.usedBytes;
    this.#statistics = null;
    this.#upSinceMs = 0;
    this.#naksPerSecond = 0;
  }

  /** Once a second, and whenever something has changed: opens a socket, or another one, if that is called for. */
  async tend(now: Surroundings): Promise<void> {
    if (this.isLive) {
      this.#lostMs = now.nowMs;
      this.#reopenAfterMs = REOPEN_FIRST_MS;
    }
    if (!this.settings.enabled) {
      await this.closePath();
      this.#troubles.forget();
      return;
    }
    if (this.#path !== undefined && (this.isLive || !this.#wantsAnother(this.#path, now))) {
      await this.#troubles.check(this.#path, this.#statistics, now.interfaces, now.nowMs);
      return;
    }
    await this.closePath();
    await this.#openPath(now);
  }

  /** All links are lost: its own turn would only lead it astray from the others. */
  forgetTurn(): void {
    this.#turn = 0;
  }

  #wantsAnother(path: LinkPath, { nowMs, interfaces, turn }: Surroundings): boolean {
    if (path.isHomeless(interfaces)) return true;
    const aim = this.#aim(path.source, turn);
    if (aim !== undefined && !path.leadsTo(aim)) return true;
    if (!this.isLongDown(nowMs)) return false;
    this.#reopenAfterMs = Math.min(this.#reopenAfterMs * 2, REOPEN_MAX_MS);
    this.#turn += 1;
    return true;
  }

  #aim(source: string, turn: number): AddressWords | undefined {
    return this.#parts.receiver.pick(familyOf(source), turn + this.#turn);
  }

  async #openPath(now: Surroundings): Promise<void> {
    const { receiver } = this.#parts;
    const { interfaces, turn } = now;
    const { address, device } = this.settings;
    const sources = address === '' ? addressesOf(device, interfaces) : [address];
    if (sources.length === 0 || (device !== '' && interfaces[device] === undefined)) {
      return this.#troubles.wait(`network interface ${device} is not there, or has no address`);
    }
    if (receiver.texts().length === 0)
      return receiver.problem === '' ? undefined : this.#troubles.wait(receiver.problem);
    const fitting = sources.filter((source) => receiver.has(familyOf(source)));
    if (fitting.length === 0) {
      const [ours, theirs] = familyOf(sources[0]) === 4 ? ['IPv4', 'IPv6'] : ['IPv6', 'IPv4'];
      return this.#troubles.wait(
        `${sources.join(', ')} is ${ours}, but the receiver has ${theirs} only: ${receiver.texts().join(', ')}`,
      );
    }
    const problems: string[] = [];
    for (const source of fitting) {
      const aim = this.#aim(source, turn);
      const problem = aim === undefined ? 'the receiver has no such address' : await this.#openFrom(source, aim, now);
      if (problem === '') return;
      problems.push(problem);
    }
    this.#troubles.wait(problems.join('; '));
  }

  /** Returns why not; '' when it is open. */
  async #openFrom(source: string, receiver: AddressWords, now: Surroundings): Promise<string> {
    const { number: link, settings } = this;
    const { uplinkId, log } = this.#parts;
    const { device } = settings;
    const { interfaces } = now;
    const sessionId = `${uplinkId}.${link}.${(this.#paths += 1)}`;
    try {
      const request = { sessionId, uplinkId, link, source, device, receiver, interfaces };
      this.#path = await LinkPath.open(this.#parts, request);
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    this.#lostMs = now.nowMs;
    this.#troubles.onOpened(this.#path, device, this.#statistics?.strangers ?? 0, now.nowMs);
    log.info({ uplinkId, link: this.name, ...this.#path.view() }, 'a link has a socket');
    await this.#troubles.checkRoute(this.#path, interfaces, now.nowMs);
    return '';
  }

  async closePath(): Promise<void> {
    const path = this.#path;
    this.#path = undefined;
    await path?.close();
  }

  /** The media thread has given up a path, which may be this link's. */
  onPathLost(sessionId: string, cause: string): void {
    if (this.#path?.sessionId !== sessionId) return;
    this.#path.release();
    this.#path = undefined;
    this.#troubles.wait(cause);
  }

  view(allBps: number): LinkView {
    const { settings, usedBytes } = this;
    const statistics = this.#statistics;
    return {
      number: this.number,
      settings: { ...settings, name: this.name },
      phase: this.#phase(),
      problem: this.#troubles.text,
      socket: this.#path?.view() ?? null,
      upSinceMs: this.#upSinceMs,
      usedBytes,
      share: allBps < IDLE_BPS ? 0 : this.bitrateBps / allBps,
      naksPerSecond: this.#naksPerSecond,
      statistics,
    };
  }

  #phase(): LinkPhase {
    const statistics = this.#statistics;
    if (!this.settings.enabled) return 'disabled';
    if (statistics?.capReached) return 'capped';
    if (this.#path === undefined) return 'no-socket';
    if (statistics?.state !== 'live') return 'registering';
    if (statistics.suspect) return 'suspect';
    return statistics.weak === null ? 'up' : 'weak';
  }
}
