import { formatSocketAddress } from '@mediaplane/net';
import { redactStreamId } from '@mediaplane/srtla';
import type { SrtlaEvent } from '../media/contract.ts';
import type { UplinkEvent as MediaEvent } from '../media/uplink-contract.ts';
import type { LinkOf, UplinkHappening } from './events.ts';

/** What a media thread tells of an uplink, in the words of its control side: with names instead of numbers, without secrets. */
export function happeningOf(event: MediaEvent, linkOf: (number: number) => LinkOf): UplinkHappening {
  switch (event.type) {
    case 'uplink-registered':
      return { type: 'registered' };
    case 'uplink-no-link':
      return { type: 'no-link' };
    case 'uplink-encoder-up':
      return {
        type: 'encoder-up',
        address: formatSocketAddress(event.address),
        streamId: event.streamId === null ? null : redactStreamId(event.streamId),
        latencyMs: event.latencyMs,
      };
    case 'uplink-encoder-down':
      return { type: 'encoder-down', reason: event.reason };
    case 'uplink-link-up':
      return { type: 'link-up', ...linkOf(event.link) };
    case 'uplink-link-down':
      return { type: 'link-down', reason: event.reason, ...linkOf(event.link) };
    case 'uplink-link-refused':
      return { type: 'link-refused', forGood: event.forGood, ...linkOf(event.link) };
    case 'uplink-link-weak':
      return { type: 'link-weak', reason: event.reason, ...linkOf(event.link) };
    case 'uplink-link-strong':
      return { type: 'link-strong', ...linkOf(event.link) };
    case 'uplink-failover':
      return { type: 'failover', unprovenPackets: event.unprovenPackets, ...linkOf(event.link) };
    case 'uplink-recovered':
      return { type: 'recovered', ...linkOf(event.link) };
    case 'uplink-link-cap-reached':
      return { type: 'cap-reached', ...linkOf(event.link) };
  }
}

export function isUplinkEvent(event: SrtlaEvent): event is MediaEvent {
  return event.type.startsWith('uplink-');
}
