import { isDeepStrictEqual } from 'node:util';
import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { normaliseLabels, quoted, Violations } from '@mediaplane/service';
import { linkSettings, schedulingMode, uplinkSettings } from '../api/uplink-messages.ts';
import { receiverViolations, uplinkViolations } from '../uplinks/settings.ts';
import type { LinkChange, UplinkChange } from '../uplinks/uplink.ts';
import { requireName } from './names.ts';
import { requireOutside } from './upstream-range.ts';
import type { UpstreamRange } from './upstream-range.ts';

const MAX_KEY_FRAME_MS = 2000;

/** @throws ServiceError INVALID_ARGUMENT that names every field */
export function validateUplink(
  settings: srtla.UplinkSettings | undefined,
  upstream: UpstreamRange,
): srtla.UplinkSettings {
  if (settings === undefined) throw ServiceError.invalidField('settings', 'must be there');
  const violations = new Violations();
  requireName(violations, 'settings.name', settings.name);
  checkMode(violations, 'settings.mode', settings.mode);
  for (const { field, description } of uplinkViolations(uplinkSettings(settings))) {
    violations.add(`settings.${field}`, description);
  }
  requireOutside(violations, 'settings.listen_port', settings.listenPort, upstream);
  const labels = normaliseLabels(settings.labels, 'settings.labels', violations);
  violations.throwIfAny();
  return { ...settings, labels };
}

const UPLINK_PATHS = ['receiver_host', 'receiver_port', 'mode', 'labels'] as const;
const LINK_PATHS = ['priority', 'cost', 'disabled', 'max_bitrate_bps', 'cap_bytes'] as const;
const EVERYTHING = '*';

/** What an UpdateUplink changes (AIP-134). `present`: the uplink as it is. @throws ServiceError INVALID_ARGUMENT */
export function uplinkChange(
  { settings: input, updateMask }: Pick<srtla.UpdateUplinkRequest, 'settings' | 'updateMask'>,
  { settings: present, listen }: Pick<srtla.Uplink, 'settings' | 'listen'>,
): {
  change: UplinkChange;
  labels: Record<string, string> | undefined;
} {
  const violations = new Violations();
  const settings = input ?? srtla.UplinkSettings.fromPartial({});
  const isSet = {
    receiver_host: settings.receiverHost !== '',
    receiver_port: settings.receiverPort !== 0,
    mode: settings.mode !== srtla.SchedulingMode.UNSPECIFIED,
    labels: Object.keys(settings.labels).length > 0,
  };
  const named = namedPaths(UPLINK_PATHS, updateMask ?? [], (path) => isSet[path], violations);
  if (takesAll(updateMask)) {
    const { name, listenAddress, listenPort, maxBitrateBps, links } = settings;
    const fixed = new FixedFields(violations, 'settings');
    fixed.check('name', name, present?.name);
    fixed.check('listen_address', listenAddress, present?.listenAddress);
    fixed.check('listen_port', listenPort, listen?.port);
    fixed.check('max_bitrate_bps', maxBitrateBps, present?.maxBitrateBps);
    if (links.length > 0 && !isDeepStrictEqual(links.map(linkSettings), present?.links.map(linkSettings))) {
      violations.add('settings.links', 'are changed by AddLink, UpdateLink and RemoveLink');
    }
  }
  checkMode(violations, 'settings.mode', settings.mode);
  const { receiverHost, receiverPort } = settings;
  const receiver = {
    ...(named.has('receiver_host') ? { receiverHost } : {}),
    ...(named.has('receiver_port') ? { receiverPort } : {}),
  };
  for (const { field, description } of receiverViolations(receiver)) violations.add(`settings.${field}`, description);
  const labels = named.has('labels') ? normaliseLabels(settings.labels, 'settings.labels', violations) : undefined;
  violations.throwIfAny();
  const change: UplinkChange = {
    ...receiver,
    ...(named.has('mode') ? { mode: schedulingMode(settings.mode) } : {}),
  };
  return { change, labels };
}

/** What an UpdateLink changes. `present`: the uplink as it is. @throws ServiceError INVALID_ARGUMENT */
export function linkChange(
  { linkName, link: input, updateMask }: Pick<srtla.UpdateLinkRequest, 'linkName' | 'link' | 'updateMask'>,
  { links }: Pick<srtla.Uplink, 'links'>,
): LinkChange {
  const violations = new Violations();
  const link = input ?? srtla.UplinkLinkSettings.fromPartial({});
  const isSet = {
    priority: link.priority !== 0,
    cost: link.cost !== 0,
    disabled: link.disabled,
    max_bitrate_bps: link.maxBitrateBps !== 0,
    cap_bytes: link.capBytes !== 0,
  };
  const named = namedPaths(LINK_PATHS, updateMask ?? [], (path) => isSet[path], violations);
  const present = links.find(({ settings }) => settings?.name === linkName)?.settings;
  if (present !== undefined && takesAll(updateMask)) {
    const fixed = new FixedFields(violations, 'link');
    fixed.check('name', link.name, present.name);
    fixed.check('address', link.address, present.address);
    fixed.check('device', link.device, present.device);
  }
  violations.throwIfAny();
  const wanted = linkSettings(link);
  return {
    ...(named.has('priority') ? { priority: wanted.priority } : {}),
    ...(named.has('cost') ? { cost: wanted.cost } : {}),
    ...(named.has('disabled') ? { enabled: wanted.enabled } : {}),
    ...(named.has('max_bitrate_bps') ? { maxBitrateBps: wanted.maxBitrateBps } : {}),
    ...(named.has('cap_bytes') ? { capBytes: wanted.capBytes } : {}),
  };
}

/** @throws ServiceError INVALID_ARGUMENT */
export function keyFrameMs(durationMs: number): number {
  if (durationMs < 1 || durationMs > MAX_KEY_FRAME_MS) {
    throw ServiceError.invalidField('duration_ms', `must be 1 to ${MAX_KEY_FRAME_MS} ms, is ${durationMs}`);
  }
  return durationMs;
}

/** @throws ServiceError INVALID_ARGUMENT */
export function requireLink(link: srtla.UplinkLinkSettings | undefined): srtla.UplinkLinkSettings {
  if (link === undefined) throw ServiceError.invalidField('link', 'must be there');
  return link;
}

function checkMode(violations: Violations, field: string, mode: srtla.SchedulingMode): void {
  const { UNSPECIFIED, CLASSIC, ENHANCED } = srtla.SchedulingMode;
  const known: readonly number[] = [UNSPECIFIED, CLASSIC, ENHANCED];
  if (!known.includes(mode)) violations.add(field, 'must be CLASSIC or ENHANCED');
}

/** Whether everything that a request sets is meant, so that nothing of it may be passed over in silence. */
function takesAll(mask: readonly string[] = []): boolean {
  return mask.length === 0 || namesAll(mask);
}

function namesAll(mask: readonly string[]): boolean {
  return mask.length === 1 && mask[0] === EVERYTHING;
}

/** What was read may be sent back with a change in it: fixed fields are refused only where they differ. */
class FixedFields {
  readonly #violations: Violations;
  readonly #path: string;

  constructor(violations: Violations, path: string) {
    this.#violations = violations;
    this.#path = path;
  }

  /** '' and 0: not set. */
  check<T extends string | number>(field: string, asked: T, present: T | undefined): void {
    if (asked === '' || asked === 0 || asked === present) return;
    const is = typeof present === 'string' ? quoted(present) : present;
    this.#violations.add(`${this.#path}.${field}`, `cannot be changed, is ${is}`);
  }
}

/** A mask that is absent names every field that is set, and `*` all. */
function namedPaths<P extends string>(
  paths: readonly P[],
  mask: readonly string[],
  isSet: (path: P) => boolean,
  violations: Violations,
): ReadonlySet<P> {
  if (mask.length === 0) return new Set(paths.filter(isSet));
  if (namesAll(mask)) return new Set(paths);
  for (const path of mask) {
    if (!paths.some((known) => known === path)) {
      violations.add('update_mask', `paths must be * alone or of ${paths.join(', ')}; one is ${quoted(path)}`);
    }
  }
  return new Set(paths.filter((path) => mask.includes(path)));
}
