import type { NetInterface } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { normaliseLabels, quoted, Violations } from '@mediaplane/service';
import { RECEIVER_DEFAULTS } from '../domain/receiver/options.ts';
import type { ReceiverOptions } from '../domain/receiver/options.ts';
import { checkPolicy } from './ingest-policy.ts';
import { requireName } from './names.ts';
import { requireOutside } from './upstream-range.ts';
import type { UpstreamRange } from './upstream-range.ts';

const { DrainingReply } = srtla;
const MAX_PORT = 65_535;
const MS = 1000;
const ACK_COPY_INTERVAL_MS = { min: 10, max: 10_000, byDefault: RECEIVER_DEFAULTS.ackCopyIntervalUs / MS };

/** Allowed values of ListenerLimits where they are not 0, by field. */
const LIMITS = {
  maxGroups: ['max_groups', 1, 10_000, ''],
  maxLinksPerGroup: ['max_links_per_group', 1, 64, ''],
  maxHalfOpenGroups: ['max_half_open_groups', 1, 10_000, ''],
  linkTimeoutMs: ['link_timeout_ms', 1000, 60_000, 'ms'],
  groupTimeoutMs: ['group_timeout_ms', 1000, 300_000, 'ms'],
} as const satisfies Record<keyof srtla.ListenerLimits, readonly [string, number, number, string]>;

/** Settings with everything that may be left out filled in. @throws ServiceError INVALID_ARGUMENT that names every field */
export function validateListener(
  input: srtla.ListenerSettings | undefined,
  interfaces: readonly NetInterface[],
  upstream: UpstreamRange,
): srtla.ListenerSettings {
  const violations = new Violations();
  if (input === undefined) violations.add('settings', 'must be there');
  const settings = input ?? srtla.ListenerSettings.fromPartial({});
  requireName(violations, 'settings.name', settings.name);
  const networkInterface = settings.interface === '' ? interfaces[0]?.name : settings.interface;
  if (!interfaces.some(({ name }) => name === networkInterface)) {
    const known = interfaces.map(({ name }) => name).join(', ');
    violations.add('settings.interface', `must be one of ${known}, is ${quoted(settings.interface)}`);
  }
  violations.requireRange('settings.port', settings.port, 0, MAX_PORT);
  requireOutside(violations, 'settings.port', settings.port, upstream);
  checkPolicy(violations, 'settings.ingest', settings.ingest?.policy);
  const limits = settings.limits ?? srtla.ListenerLimits.fromPartial({});
  for (const key of [
    'maxGroups',
    'maxLinksPerGroup',
    'maxHalfOpenGroups',
    'linkTimeoutMs',
    'groupTimeoutMs',
  ] as const) {
    const [field, min, max, unit] = LIMITS[key];
    if (limits[key] !== 0) violations.requireRange(`settings.limits.${field}`, limits[key], min, max, unit);
  }
  const { ackCopyIntervalMs, drainingReply } = settings;
  if (ackCopyIntervalMs !== 0) {
    const { min, max } = ACK_COPY_INTERVAL_MS;
    violations.requireRange('settings.ack_copy_interval_ms', ackCopyIntervalMs, min, max, 'ms');
  }
  const { UNSPECIFIED, SILENCE, NAK } = DrainingReply;
  const replies: readonly number[] = [UNSPECIFIED, SILENCE, NAK];
  if (!replies.includes(drainingReply)) violations.add('settings.draining_reply', 'must be SILENCE or NAK');
  const labels = normaliseLabels(settings.labels, 'settings.labels', violations);
  violations.throwIfAny();
  return {
    ...settings,
    interface: networkInterface ?? '',
    limits: withDefaults(limits),
    ackCopyIntervalMs: ackCopyIntervalMs || ACK_COPY_INTERVAL_MS.byDefault,
    drainingReply: drainingReply || SILENCE,
    labels,
  };
}

function withDefaults(limits: srtla.ListenerLimits): srtla.ListenerLimits {
  const defaults = RECEIVER_DEFAULTS;
  return {
    maxGroups: limits.maxGroups || defaults.maxGroups,
    maxLinksPerGroup: limits.maxLinksPerGroup || defaults.maxLinksPerGroup,
    maxHalfOpenGroups: limits.maxHalfOpenGroups || defaults.maxHalfOpenGroups,
    linkTimeoutMs: limits.linkTimeoutMs || defaults.linkTimeoutUs / MS,
    groupTimeoutMs: limits.groupTimeoutMs || defaults.groupTimeoutUs / MS,
  };
}

/** What the media thread makes of settings that `validateListener` has passed. */
export function receiverOptions(settings: srtla.ListenerSettings): ReceiverOptions {
  const limits = withDefaults(settings.limits ?? srtla.ListenerLimits.fromPartial({}));
  return {
    ...RECEIVER_DEFAULTS,
    maxGroups: limits.maxGroups,
    maxLinksPerGroup: limits.maxLinksPerGroup,
    maxHalfOpenGroups: limits.maxHalfOpenGroups,
    linkTimeoutUs: limits.linkTimeoutMs * MS,
    groupTimeoutUs: limits.groupTimeoutMs * MS,
    padReplies: !settings.noReplyPadding,
    ingest: settings.ingest?.policy?.$case === 'rules' ? 'decide' : 'pass',
    refuseLateLinks: settings.refuseLateLinks,
    ackCopyIntervalUs: (settings.ackCopyIntervalMs || ACK_COPY_INTERVAL_MS.byDefault) * MS,
    drainingReply: settings.drainingReply === DrainingReply.NAK ? 'nak' : 'silence',
  };
}
