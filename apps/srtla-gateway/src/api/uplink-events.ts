import { srtla } from '@mediaplane/proto';
import type { EncoderLostReason, LinkLostReason, WeakReason } from '../domain/sender/sender-parts.ts';
import type { EventDetail } from '../listeners/session-events.ts';
import type { UplinkEvent } from '../uplinks/events.ts';
import { endpointOf } from './uplink-messages.ts';

const { EncoderDownReason, LinkDownReason, WeakReason: Weak } = srtla;

/** What happens to an uplink as the API tells it; undefined for what is seen in its record alone. `uplink`: after it. */
export function uplinkEventDetail(event: UplinkEvent, uplink: srtla.Uplink): EventDetail | undefined {
  switch (event.type) {
    case 'uplink-created':
    case 'uplink-deleted':
    case 'receiver-resolved':
      return undefined;
    case 'registered':
      return {
        $case: 'uplinkRegistered',
        value: { receiver: uplink.links.find(({ receiver }) => receiver)?.receiver },
      };
    case 'no-link':
      return { $case: 'uplinkLost', value: {} };
    case 'encoder-up': {
      const { address, latencyMs, streamId } = event;
      return {
        $case: 'encoderUp',
        value: { address: endpointOf(address), latencyMs, streamIdRedacted: streamId ?? '' },
      };
    }
    case 'encoder-down':
      return { $case: 'encoderDown', value: { reason: ENCODER_REASONS[event.reason] } };
    case 'uplink-updated':
    case 'uplink-restarted':
      return { $case: 'uplinkUpdated', value: { uplink } };
    default:
      return linkEventDetail(event, uplink);
  }
}

type LinkEvent = Extract<UplinkEvent, { link: unknown }>;

function linkEventDetail(event: LinkEvent, uplink: srtla.Uplink): EventDetail {
  const linkName = event.link.name;
  const link = uplink.links.find(({ settings }) => settings?.name === linkName);
  const address = link?.local;
  switch (event.type) {
    case 'link-up':
      return { $case: 'linkUp', value: { address, linkName, relayedBy: '' } };
    case 'link-down':
      return { $case: 'linkDown', value: { address, linkName, reason: LINK_REASONS[event.reason], relayedBy: '' } };
    case 'link-refused':
      return { $case: 'linkNotAccepted', value: { linkName, forGood: event.forGood } };
    case 'link-weak':
      return { $case: 'linkWeak', value: { linkName, reason: WEAK_REASONS[event.reason] } };
    case 'link-strong':
    case 'recovered':
      return { $case: 'linkRecovered', value: { linkName } };
    case 'failover':
      return { $case: 'failover', value: { linkName, unprovenPackets: event.unprovenPackets } };
    case 'cap-reached':
      return { $case: 'linkCapReached', value: { linkName, capBytes: link?.settings?.capBytes ?? 0 } };
    default:
      // Seen in the link's state and complaint.
      return { $case: 'uplinkUpdated', value: { uplink } };
  }
}

const ENCODER_REASONS: Readonly<Record<EncoderLostReason, srtla.EncoderDownReason>> = {
  silent: EncoderDownReason.SILENT,
  shutdown: EncoderDownReason.SHUTDOWN,
  replaced: EncoderDownReason.REPLACED,
};

const LINK_REASONS: Readonly<Record<LinkLostReason, srtla.LinkDownReason>> = {
  silent: LinkDownReason.SILENT,
  refused: LinkDownReason.REFUSED,
  'group-lost': LinkDownReason.GROUP_LOST,
  'no-path': LinkDownReason.NO_PATH,
  disabled: LinkDownReason.DISABLED,
  removed: LinkDownReason.REMOVED,
};

const WEAK_REASONS: Readonly<Record<WeakReason, srtla.WeakReason>> = {
  rtt: Weak.RTT,
  queue: Weak.QUEUE,
  share: Weak.SHARE,
  loss: Weak.LOSS,
};
