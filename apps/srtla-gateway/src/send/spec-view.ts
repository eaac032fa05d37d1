import type { LinkStatistics } from '../media/uplink-contract.ts';
import { LINK_DEFAULTS, UPLINK_DEFAULTS } from '../uplinks/settings.ts';
import { IDLE_LINK } from '../uplinks/spec-parts.ts';
import type { LinkView, UplinkView } from '../uplinks/view.ts';

/** An uplink with a link for each of `figures`: `link0` and so on. */
export function viewOf(figures: readonly Partial<LinkStatistics>[], links: Partial<LinkView> = {}): UplinkView {
  const settings = { ...UPLINK_DEFAULTS, receiverHost: 'receiver.test', receiverPort: 5000 };
  return {
    uplinkId: 'up_1',
    settings,
    listenAddress: '127.0.0.1',
    listenPort: 6000,
    createdMs: 0,
    registered: true,
    receiverAddresses: ['203.0.113.5'],
    problem: '',
    encoder: null,
    links: figures.map((each, number): LinkView => ({
      number,
      settings: { ...LINK_DEFAULTS, name: `link${number}`, address: `192.0.2.${number}` },
      phase: 'up',
      problem: '',
      socket: null,
      upSinceMs: 0,
      usedBytes: 0,
      share: 0.5,
      naksPerSecond: 0,
      statistics: { ...IDLE_LINK, link: number, ...each },
      ...links,
    })),
    bitrateBps: 0,
    statistics: null,
  };
}
