import { parseSocketAddress } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { endpoint } from '../listeners/endpoint.ts';
import { LINK_DEFAULTS, UPLINK_DEFAULTS } from '../uplinks/settings.ts';
import type { LinkSettings, UplinkSettings } from '../uplinks/settings.ts';
import type { LinkPhase, LinkView, UplinkView } from '../uplinks/view.ts';

const { LinkState, SchedulingMode } = srtla;
const WINDOW_UNITS = 1000;

/** What the API's settings are to `Uplinks`; what is left out has its default. */
export function uplinkSettings(settings: srtla.UplinkSettings): UplinkSettings {
  return {
    listenAddress: settings.listenAddress || UPLINK_DEFAULTS.listenAddress,
    listenPort: settings.listenPort,
    receiverHost: settings.receiverHost,
    receiverPort: settings.receiverPort,
    mode: schedulingMode(settings.mode),
    maxBitrateBps: settings.maxBitrateBps || UPLINK_DEFAULTS.maxBitrateBps,
    links: settings.links.map(linkSettings),
  };
}

export function linkSettings(link: srtla.UplinkLinkSettings): LinkSettings {
  return {
    name: link.name,
    address: link.address,
    device: link.device,
    enabled: !link.disabled,
    priority: link.priority || LINK_DEFAULTS.priority,
    cost: link.cost,
    maxBitrateBps: link.maxBitrateBps,
    capBytes: link.capBytes,
  };
}

export function schedulingMode(mode: srtla.SchedulingMode): UplinkSettings['mode'] {
  return mode === SchedulingMode.CLASSIC ? 'classic' : 'enhanced';
}

/** What the API knows of an uplink beside what it does. */
export interface UplinkIdentity {
  readonly id: string;
  readonly name: string;
  readonly labels: Record<string, string>;
  readonly configured: boolean;
  readonly formerId: string;
}

/** An uplink as the API shows it; `statistics` are apart. */
export function uplinkMessage(view: UplinkView, identity: UplinkIdentity, instanceId: string): srtla.Uplink {
  const { id, name, labels, configured, formerId } = identity;
  const { settings, encoder } = view;
  return {
    uplinkId: id,
    instanceId,
    settings: {
      name,
      listenAddress: settings.listenAddress,
      listenPort: settings.listenPort,
      receiverHost: settings.receiverHost,
      receiverPort: settings.receiverPort,
      mode: settings.mode === 'classic' ? SchedulingMode.CLASSIC : SchedulingMode.ENHANCED,
      maxBitrateBps: settings.maxBitrateBps,
      links: settings.links.map(linkSettingsMessage),
      labels,
    },
    listen: { address: view.listenAddress, port: view.listenPort },
    links: view.links.map(linkMessage),
    registered: view.registered,
    encoder: encoder === null ? undefined : endpointOf(encoder.address),
    latencyMs: encoder?.latencyMs ?? 0,
    createTime: new Date(view.createdMs),
    statistics: undefined,
    configured,
    formerUplinkId: formerId,
  };
}

function linkSettingsMessage(link: LinkSettings): srtla.UplinkLinkSettings {
  const { name, address, device, priority, cost, enabled, maxBitrateBps, capBytes } = link;
  return { name, address, device, priority, cost, disabled: !enabled, maxBitrateBps, capBytes };
}

function linkMessage({ settings, phase, problem, socket }: LinkView): srtla.UplinkLink {
  return {
    settings: linkSettingsMessage(settings),
    state: LINK_STATES[phase],
    local: socket === null ? undefined : { address: socket.source, port: socket.sourcePort },
    receiver: socket === null ? undefined : endpointOf(socket.receiver),
    complaint: problem,
  };
}

/** As views of uplinks write them: `203.0.113.7:5000`, `[2001:db8::7]:5000`. */
export function endpointOf(text: string): srtla.Endpoint | undefined {
  const match = /^\[?([^\]]+)\]?:(\d+)$/.exec(text);
  return match === null ? undefined : endpoint(parseSocketAddress(match[1], Number(match[2])));
}

/** Undefined until the media thread has told. */
export function uplinkStatistics({ statistics, links, bitrateBps }: UplinkView): srtla.UplinkStatistics | undefined {
  if (statistics === null) return undefined;
  return {
    sampleTime: new Date(),
    bitrateBps: Math.round(bitrateBps),
    packets: statistics.packets,
    bytes: statistics.bytes,
    resentPackets: statistics.resent,
    expiredPackets: statistics.expired,
    duplicatePackets: statistics.duplicates,
    droppedPackets: statistics.dropped,
    links: links.flatMap(linkStatistics),
  };
}

function linkStatistics(link: LinkView): srtla.UplinkLinkStatistics[] {
  const { statistics, settings, share, naksPerSecond, usedBytes, upSinceMs } = link;
  if (statistics === null) return [];
  const { bitrateBps, packets, bytes, rttMs, window, inFlightPackets, naks } = statistics;
  const { estimateBps, heardAgoMs, failedSends, strangers } = statistics;
  return [
    {
      linkName: settings.name,
      bitrateBps: Math.round(bitrateBps),
      share,
      packets,
      bytes,
      rttMs: rttMs < 0 ? undefined : rttMs,
      windowPackets: window / WINDOW_UNITS,
      inFlightPackets,
      nakPackets: naks,
      nakRate: naksPerSecond,
      capacityBps: Math.round(estimateBps),
      silentMs: heardAgoMs < 0 ? undefined : Math.round(heardAgoMs),
      dataBytes: Math.round(usedBytes),
      failedSends,
      strangerPackets: strangers,
      uptimeMs: upSinceMs === 0 ? 0 : Math.max(Math.round(Date.now() - upSinceMs), 0),
    },
  ];
}

const LINK_STATES: Readonly<Record<LinkPhase, srtla.LinkState>> = {
  disabled: LinkState.DISABLED,
  'no-socket': LinkState.NO_SOCKET,
  registering: LinkState.REGISTERING,
  up: LinkState.UP,
  weak: LinkState.WEAK,
  suspect: LinkState.SUSPECT,
  capped: LinkState.CAPPED,
};
