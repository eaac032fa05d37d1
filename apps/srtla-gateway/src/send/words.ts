import { hostname } from 'node:os';
import { isUnspecified, parseSocketAddress } from '@mediaplane/net';
import { hostPort } from '@mediaplane/service';
import type { UplinkHappening } from '../uplinks/events.ts';
import type { UplinkView } from '../uplinks/view.ts';

/** Of SRT, where it goes over modems: time enough for what is lost to be sent again. */
const ENCODER_LATENCY_MS = 2000;

/** What happened, in a line for people. */
export function inWords(event: UplinkHappening): string {
  switch (event.type) {
    case 'uplink-created':
      return 'ready';
    case 'uplink-deleted':
      return 'ended';
    case 'uplink-updated':
      return 'settings have changed';
    case 'uplink-restarted':
      return `began anew, for its media thread was lost: ${event.cause}`;
    case 'registered':
      return 'the receiver has accepted us';
    case 'receiver-resolved':
      return `the receiver is at ${event.addresses.join(', ')}`;
    case 'no-link':
      return 'no link takes what the encoder sends: it is dropped';
    case 'encoder-up':
      return `encoder ${event.address} is connected, latency ${event.latencyMs} ms${event.streamId === null ? '' : `, stream id ${event.streamId}`}`;
    case 'encoder-down':
      return `the encoder is gone (${event.reason})`;
    case 'link-added':
      return `${event.link.name}: added`;
    case 'link-removed':
      return `${event.link.name}: removed`;
    case 'link-up':
      return `${event.link.name}: up`;
    case 'link-down':
      return `${event.link.name}: down (${event.reason})`;
    case 'link-waiting':
      return `${event.link.name}: waits: ${event.problem}`;
    case 'link-misrouted':
      return `${event.link.name}: wrong route: ${event.problem}`;
    case 'link-unanswered':
      return `${event.link.name}: no way in: ${event.problem}`;
    case 'link-unbound':
      return `${event.link.name}: may not be bound to ${event.device} (CAP_NET_RAW); the system's routes decide which way it goes`;
    case 'link-refused':
      return `${event.link.name}: refused by the receiver${event.forGood ? ' for good' : ', tried again'}`;
    case 'link-weak':
      return `${event.link.name}: weak (${event.reason}), gets next to nothing`;
    case 'link-strong':
      return `${event.link.name}: strong again`;
    case 'failover':
      return `${event.link.name}: delivers nothing; its ${event.unprovenPackets} packets go out again by others`;
    case 'recovered':
      return `${event.link.name}: delivers again`;
    case 'cap-reached':
      return `${event.link.name}: has used up its data`;
  }
}

/** Where the encoder is to send, for the two that most people have. */
export function encoderAdvice({ listenAddress, listenPort }: UplinkView): string[] {
  const url = encoderUrl(listenAddress, listenPort);
  // Both hand the query to libavformat, whose latency is in microseconds; 1316 bytes are seven packets of a transport stream.
  const full = `${url}&pkt_size=1316&latency=${ENCODER_LATENCY_MS * 1000}`;
  return [
    `Encoder: ${url}`,
    `  ffmpeg   ffmpeg -re -i <input> -c copy -f mpegts '${full}'`,
    `  OBS      Settings > Stream > Custom, server ${full}`,
  ];
}

export function encoderUrl(listenAddress: string, listenPort: number): string {
  const isAny = isUnspecified(parseSocketAddress(listenAddress, 0));
  return `srt://${hostPort(isAny ? hostname() : listenAddress, listenPort)}?mode=caller`;
}
