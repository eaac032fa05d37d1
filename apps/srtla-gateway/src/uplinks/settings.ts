import { isIP } from 'node:net';
import { ServiceError } from '@mediaplane/control';
import type { FieldViolation } from '@mediaplane/control';
import { quoted } from '@mediaplane/service';
import { formatIp, isUnspecified, parseSocketAddress } from '@mediaplane/net';
import { LINK_DEFAULTS as SCHEDULING_DEFAULTS, MAX_LINKS } from '../domain/sender/link-settings.ts';
import type { LinkSettings as Scheduling } from '../domain/sender/link-settings.ts';
import { SENDER_DEFAULTS } from '../domain/sender/options.ts';
import type { SchedulingMode } from '../domain/sender/options.ts';

const MODES: readonly SchedulingMode[] = ['classic', 'enhanced'];
const PRIORITY = { min: 0.1, max: 10 };
const MAX_COST = 1000;
const ENCODER_BPS = { min: 1e6, max: 1e9 };
/** Linux: IFNAMSIZ less the zero; printable ASCII, without `%`, `/` and `:`. */
const DEVICE = /^[!-$&-.0-9;-~]{1,15}$/;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.:@%-]{0,62}$/;
/** RFC 1123 2.1. */
const HOST = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?\.?$/;

/** What a link is, and how it is to be used. It is known by `address` and `device`: at least one of them is given, and neither changes. */
export interface LinkSettings extends Scheduling {
  /** In tables, events and logs; no two links of an uplink have the same. '': made of address and device. */
  readonly name: string;
  /** The source address, a literal. '': one that the device has. */
  readonly address: string;
  /** The network interface that everything leaves by. '': whichever the system's routes name. */
  readonly device: string;
}

export const LINK_DEFAULTS: LinkSettings = { ...SCHEDULING_DEFAULTS, name: '', address: '', device: '' };

export interface UplinkSettings {
  /** Where the encoder sends to: a literal. Loopback, unless others than this machine are to send. */
  readonly listenAddress: string;
  /** 0: the system chooses. */
  readonly listenPort: number;
  /** Name or literal, without brackets. */
  readonly receiverHost: string;
  readonly receiverPort: number;
  readonly mode: SchedulingMode;
  /** The most that the encoder will send. */
  readonly maxBitrateBps: number;
  readonly links: readonly LinkSettings[];
}

export const UPLINK_DEFAULTS = { listenAddress: '127.0.0.1', listenPort: 0, ...SENDER_DEFAULTS, links: [] } as const;

/** The same for two links exactly when they are one. Both are normalized. */
export function linkKey({ address, device }: Pick<LinkSettings, 'address' | 'device'>): string {
  if (address === '') return device;
  return device === '' ? address : `${address}%${device}`;
}

/** As it is shown. */
export function linkName(link: LinkSettings): string {
  return link.name === '' ? linkKey(link) : link.name;
}

/** With its address in the one form that comparing takes. */
export function normalizeLink(link: LinkSettings): LinkSettings {
  return isLiteral(link.address) ? { ...link, address: formatIp(parseSocketAddress(link.address, 0)) } : link;
}

/** What is wrong with a link, by field of the API. */
export function linkViolations(link: LinkSettings, path: string): FieldViolation[] {
  const { name, address, device, priority, cost, maxBitrateBps, capBytes } = link;
  const checks = new Checks(path);
  checks.that(name === '' || NAME.test(name), 'name', 'must be 1 to 63 letters, digits or any of "_.:@%-"', name);
  checks.that(address !== '' || device !== '', 'address', 'an address or a device must be given');
  checks.that(address === '' || isSource(address), 'address', 'must be an IP address of this machine', address);
  checks.that(device === '' || DEVICE.test(device), 'device', 'must be the name of a network interface', device);
  checks.range(priority, PRIORITY.min, PRIORITY.max, 'priority');
  checks.that(isWhole(cost, 0, MAX_COST), 'cost', `must be 0 to ${MAX_COST}`, cost);
  checks.that(
    isWhole(maxBitrateBps, 0, Number.MAX_SAFE_INTEGER),
    'max_bitrate_bps',
    'must be 0 or more',
    maxBitrateBps,
  );
  checks.that(isWhole(capBytes, 0, Number.MAX_SAFE_INTEGER), 'cap_bytes', 'must be 0 or more', capBytes);
  return checks.wrong;
}

/** What is wrong with an uplink, by field of the API. */
export function uplinkViolations(settings: UplinkSettings): FieldViolation[] {
  const { listenAddress, listenPort, mode, maxBitrateBps, links } = settings;
  const checks = new Checks('');
  checks.that(isLiteral(listenAddress), 'listen_address', 'must be an IP address of this machine', listenAddress);
  checks.that(isWhole(listenPort, 0, 65535), 'listen_port', 'must be 0 to 65535', listenPort);
  checks.that(MODES.includes(mode), 'mode', `must be ${MODES.join(' or ')}`, mode);
  checks.range(maxBitrateBps, ENCODER_BPS.min, ENCODER_BPS.max, 'max_bitrate_bps');
  checks.that(links.length <= MAX_LINKS, 'links', `must be at most ${MAX_LINKS}`, links.length);
  return [
    ...receiverViolations(settings),
    ...checks.wrong,
    ...links.flatMap((link, i) => linkViolations(link, `links[${i}].`)),
    ...twinViolations(links.map(normalizeLink)),
  ];
}

/** @throws ServiceError INVALID_ARGUMENT that names every field */
export function requireUplinkSettings(settings: UplinkSettings): void {
  throwIfWrong(uplinkViolations(settings));
}

export function receiverViolations({
  receiverHost,
  receiverPort,
}: Partial<Pick<UplinkSettings, 'receiverHost' | 'receiverPort'>>): FieldViolation[] {
  const checks = new Checks('');
  if (receiverHost !== undefined) {
    const isHost = isLiteral(receiverHost) || HOST.test(receiverHost);
    checks.that(isHost, 'receiver_host', 'must be a host name or an IP address', receiverHost);
  }
  if (receiverPort !== undefined) {
    checks.that(isWhole(receiverPort, 1, 65535), 'receiver_port', 'must be 1 to 65535', receiverPort);
  }
  return checks.wrong;
}

/** Collects what does not hold. */
class Checks {
  readonly wrong: FieldViolation[] = [];
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** `value`: as it was given, where that helps. */
  that(holds: boolean, field: string, description: string, value?: string | number): void {
    if (holds) return;
    const is = value === undefined ? '' : `, is ${typeof value === 'string' ? quoted(value) : value}`;
    this.wrong.push({ field: this.#path + field, description: description + is });
  }

  range(value: number, min: number, max: number, field: string): void {
    this.that(value >= min && value <= max, field, `must be ${min} to ${max}`, value);
  }
}

/** @throws ServiceError INVALID_ARGUMENT, when there is something wrong */
export function throwIfWrong(wrong: readonly FieldViolation[]): void {
  if (wrong.length === 0) return;
  const message = wrong.map(({ field, description }) => `${field}: ${description}`).join('; ');
  throw new ServiceError('INVALID_ARGUMENT', 'INVALID_FIELD', message, { fieldViolations: wrong });
}

function twinViolations(links: readonly LinkSettings[]): FieldViolation[] {
  const isFirst = (of: (link: LinkSettings) => string) => (link: LinkSettings, i: number) =>
    links.findIndex((other) => of(other) === of(link)) === i;
  const firstOfKey = isFirst(linkKey);
  const firstOfName = isFirst(linkName);
  return links.flatMap((link, i) => {
    if (!firstOfKey(link, i)) return [{ field: `links[${i}]`, description: 'must not be there twice' }];
    return firstOfName(link, i) ? [] : [{ field: `links[${i}].name`, description: 'must not be that of another link' }];
  });
}

function isWhole(value: number, min: number, max: number): boolean {
  return Number.isInteger(value) && value >= min && value <= max;
}

/** Zones (`%eth0`) are told by `device`. */
export function isLiteral(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}

function isSource(address: string): boolean {
  return isLiteral(address) && !isUnspecified(parseSocketAddress(address, 0));
}
