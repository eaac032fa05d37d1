import { Direction, LatchMode } from '@mediaplane/proto';
import type { ChannelSettings, IdleRules, LatchPolicy } from '@mediaplane/proto';
import { normaliseLabels, quoted } from '@mediaplane/service';
import type { Violations } from '@mediaplane/service';
import type { MediaSettings } from '../media/contract.ts';
import { DEFAULT_CODECS, mediaFormats, normaliseCodecs } from './codecs.ts';
import { normaliseRemote, remoteAddresses } from './remote-endpoint.ts';

/** What this instance's configuration decides about settings. */
export interface SettingsRules {
  /** Configured interfaces, at least one, each with its IP version. */
  readonly interfaces: ReadonlyMap<string, 4 | 6>;
  readonly idle: { readonly rtpTimeoutMs: number; readonly noRemoteTimeoutMs: number; readonly holdTimeoutMs: number };
}

export type SettingsKey = Exclude<keyof ChannelSettings, 'interface'>;

const WEEK_MS = 604_800_000;
const DAY_MS = 86_400_000;
/** What a timer can wait, 24 days. */
const MAX_DURATION_MS = 2 ** 31 - 1;
const MIN_LEASE_MS = 1000;
const MAX_LATCH_WINDOW_MS = 60_000;
const DEFAULT_LATCH: LatchPolicy = { mode: LatchMode.LEARN_ONCE, windowMs: 3000 };

/** Of a request that has none. */
export const EMPTY_SETTINGS: ChannelSettings = {
  remote: undefined,
  codecs: undefined,
  direction: 0,
  echo: false,
  latch: undefined,
  labels: {},
  maxDurationMs: 0,
  idle: undefined,
  controllerLeaseMs: 0,
  interface: '',
};

/** What a field is normalised with: where it stands in the request, the rules, and the interface it has to suit. */
interface Context {
  readonly field: string;
  readonly rules: SettingsRules;
  readonly interfaceName: string;
  readonly violations: Violations;
}

interface SettingsField<K extends SettingsKey> {
  /** Its name in update masks. */
  readonly path: string;
  /** Proto3 presence: a value that is not the zero value. */
  isSet(settings: ChannelSettings): boolean;
  /** The value with its defaults filled in. */
  normalise(settings: ChannelSettings, context: Context): ChannelSettings[K];
}

/** Every field that UpdateChannel can change. */
export const SETTINGS_FIELDS: { readonly [K in SettingsKey]: SettingsField<K> } = {
  remote: {
    path: 'remote',
    isSet: ({ remote }) => remote !== undefined,
    normalise: ({ remote }, { field, rules, interfaceName, violations }) =>
      normaliseRemote(remote, field, rules.interfaces.get(interfaceName) ?? 4, violations),
  },
  codecs: {
    path: 'codecs',
    isSet: ({ codecs }) => codecs !== undefined,
    normalise: ({ codecs }, { field, violations }) => normaliseCodecs(codecs, field, violations),
  },
  direction: {
    path: 'direction',
    isSet: ({ direction }) => direction !== Direction.UNSPECIFIED,
    normalise: ({ direction }, { field, violations }) =>
      normaliseChoice(direction, Direction, Direction.SENDRECV, field, violations),
  },
  echo: { path: 'echo', isSet: ({ echo }) => echo, normalise: ({ echo }) => echo },
  latch: {
    path: 'latch',
    isSet: ({ latch }) => latch !== undefined,
    normalise: ({ latch }, context) => normaliseLatch(latch, context),
  },
  labels: {
    path: 'labels',
    isSet: ({ labels }) => Object.keys(labels).length > 0,
    normalise: ({ labels }, { field, violations }) => normaliseLabels(labels, field, violations),
  },
  maxDurationMs: {
    path: 'max_duration_ms',
    isSet: ({ maxDurationMs }) => maxDurationMs !== 0,
    normalise: ({ maxDurationMs }, { field, violations }) => {
      violations.requireRange(field, maxDurationMs, 0, MAX_DURATION_MS, 'ms');
      return maxDurationMs;
    },
  },
  idle: {
    path: 'idle',
    isSet: ({ idle }) => idle !== undefined,
    normalise: ({ idle }, context) => normaliseIdle(idle, context),
  },
  controllerLeaseMs: {
    path: 'controller_lease_ms',
    isSet: ({ controllerLeaseMs }) => controllerLeaseMs !== 0,
    normalise: ({ controllerLeaseMs }, { field, violations }) => {
      if (controllerLeaseMs !== 0) violations.requireRange(field, controllerLeaseMs, MIN_LEASE_MS, DAY_MS, 'ms');
      return controllerLeaseMs;
    },
  },
};

/** Of a new channel. `field` is where the settings stand in the request. */
export function normaliseSettings(
  settings: ChannelSettings,
  field: string,
  rules: SettingsRules,
  violations: Violations,
): ChannelSettings {
  const interfaceName = normaliseInterface(settings.interface, `${field}.interface`, rules, violations);
  const normalised = <K extends SettingsKey>(key: K): ChannelSettings[K] => {
    const settingsField = SETTINGS_FIELDS[key];
    const context = { field: `${field}.${settingsField.path}`, rules, interfaceName, violations };
    return settingsField.normalise(settings, context);
  };
  return {
    remote: normalised('remote'),
    codecs: normalised('codecs'),
    direction: normalised('direction'),
    echo: normalised('echo'),
    latch: normalised('latch'),
    labels: normalised('labels'),
    maxDurationMs: normalised('maxDurationMs'),
    idle: normalised('idle'),
    controllerLeaseMs: normalised('controllerLeaseMs'),
    interface: interfaceName,
  };
}

function normaliseInterface(name: string, field: string, rules: SettingsRules, violations: Violations): string {
  const [first] = rules.interfaces.keys();
  if (name === '') return first;
  if (!rules.interfaces.has(name)) {
    violations.add(field, `must be one of ${[...rules.interfaces.keys()].join(', ')}, is ${quoted(name)}`);
  }
  return name;
}

function normaliseLatch(latch: LatchPolicy | undefined, { field, violations }: Context): LatchPolicy {
  if (latch === undefined) return DEFAULT_LATCH;
  const windowMs = latch.windowMs ?? DEFAULT_LATCH.windowMs ?? 0;
  violations.requireRange(`${field}.window_ms`, windowMs, 0, MAX_LATCH_WINDOW_MS, 'ms');
  return { mode: normaliseChoice(latch.mode, LatchMode, LatchMode.LEARN_ONCE, `${field}.mode`, violations), windowMs };
}

function normaliseIdle(idle: IdleRules | undefined, { field, rules, violations }: Context): IdleRules {
  if (idle === undefined) return rules.idle;
  const rtpTimeoutMs = idle.rtpTimeoutMs ?? rules.idle.rtpTimeoutMs;
  const noRemoteTimeoutMs = idle.noRemoteTimeoutMs ?? rules.idle.noRemoteTimeoutMs;
  const holdTimeoutMs = idle.holdTimeoutMs ?? rules.idle.holdTimeoutMs;
  violations.requireRange(`${field}.rtp_timeout_ms`, rtpTimeoutMs, 0, WEEK_MS, 'ms');
  violations.requireRange(`${field}.no_remote_timeout_ms`, noRemoteTimeoutMs, 0, WEEK_MS, 'ms');
  violations.requireRange(`${field}.hold_timeout_ms`, holdTimeoutMs, 0, WEEK_MS, 'ms');
  return { rtpTimeoutMs, noRemoteTimeoutMs, holdTimeoutMs };
}

/** An enum value: zero means the default, one that this version does not know is refused. */
export function normaliseChoice<T extends number>(
  value: T,
  choices: Readonly<Record<string, T>>,
  whenUnspecified: T,
  field: string,
  violations: Violations,
): T {
  if (value === 0) return whenUnspecified;
  for (const name in choices) if (choices[name] === value && value > 0) return value;
  const known = Object.keys(choices).filter((name) => choices[name] > 0);
  violations.add(field, `must be one of ${known.join(', ')}`);
  return whenUnspecified;
}

/** What the media thread needs of settings that were normalised. */
export function mediaSettings(settings: ChannelSettings): MediaSettings {
  const { remote, codecs, direction, latch, idle } = settings;
  const addresses = remote === undefined ? undefined : remoteAddresses(remote);
  return {
    remoteRtp: addresses?.rtp ?? null,
    remoteRtcp: addresses?.rtcp ?? null,
    formats: mediaFormats(codecs ?? DEFAULT_CODECS),
    sends: direction === Direction.SENDRECV || direction === Direction.SENDONLY,
    receives: direction === Direction.SENDRECV || direction === Direction.RECVONLY,
    echo: settings.echo,
    latchMode: latchMode(latch?.mode),
    latchWindowMs: latch?.windowMs ?? 0,
    rtpTimeoutMs: idle?.rtpTimeoutMs ?? 0,
    noRemoteTimeoutMs: idle?.noRemoteTimeoutMs ?? 0,
    holdTimeoutMs: idle?.holdTimeoutMs ?? 0,
  };
}

function latchMode(mode: LatchMode | undefined): MediaSettings['latchMode'] {
  if (mode === LatchMode.OFF) return 'off';
  return mode === LatchMode.ROAMING ? 'roaming' : 'learn-once';
}
