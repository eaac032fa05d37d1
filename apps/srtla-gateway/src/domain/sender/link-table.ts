import { UplinkError } from './errors.ts';
import { MAX_LINKS } from './link-settings.ts';
import type { LinkSettings } from './link-settings.ts';
import { SenderLink } from './link.ts';

/** The links of a sender by number, and those that take part: whoever changes one calls `update`. */
export class LinkTable {
  /** In the order of their numbers, as the two below. */
  readonly all: SenderLink[] = [];
  readonly live: SenderLink[] = [];
  /** Live, and may be given data. */
  readonly takers: SenderLink[] = [];

  get(index: number): SenderLink | undefined {
    return this.all.find((link) => link.index === index);
  }

  /** @throws UplinkError `no-such-link` */
  require(index: number): SenderLink {
    const link = this.get(index);
    if (link === undefined) throw new UplinkError('no-such-link', `there is no link ${index}`);
    return link;
  }

  /** @throws UplinkError `link-limit`, `link-exists` */
  add(index: number, settings: LinkSettings): SenderLink {
    if (!Number.isInteger(index) || index < 0 || index >= MAX_LINKS) {
      throw new UplinkError('link-limit', `link ${index}: an uplink has at most ${MAX_LINKS}, numbered from 0`);
    }
    if (this.get(index) !== undefined) throw new UplinkError('link-exists', `there is a link ${index}`);
    const link = new SenderLink(index, settings);
    const after = this.all.findIndex((other) => other.index > index);
    this.all.splice(after < 0 ? this.all.length : after, 0, link);
    return link;
  }

  remove(link: SenderLink): void {
    this.all.splice(this.all.indexOf(link), 1);
  }

  update(): void {
    this.live.length = 0;
    this.takers.length = 0;
    for (const link of this.all) {
      if (link.state !== 'live') continue;
      this.live.push(link);
      if (!link.capReached) this.takers.push(link);
    }
  }
}
