import type { ChannelSettings, UpdateChannelRequest } from '@mediaplane/proto';
import { quoted, Violations } from '@mediaplane/service';
import type { SettingsKey, SettingsRules } from './settings.ts';
import { EMPTY_SETTINGS, SETTINGS_FIELDS } from './settings.ts';

export interface SettingsUpdate {
  /** The whole of the settings after the change. */
  readonly settings: ChannelSettings;
  /** Mask paths of what the request names, in the order of the message. */
  readonly paths: readonly string[];
}

const KEYS: readonly SettingsKey[] = [
  'remote',
  'codecs',
  'direction',
  'echo',
  'latch',
  'labels',
  'maxDurationMs',
  'idle',
  'controllerLeaseMs',
];
const PATHS = KEYS.map((key) => SETTINGS_FIELDS[key].path);

/**
 * Applies an UpdateChannel to the settings a channel has (AIP-134). A mask that names `controller_lease_ms` without any
 * settings renews the lease and does not end it.
 * @throws ServiceError INVALID_ARGUMENT
 */
export function updateSettings(
  current: ChannelSettings,
  request: Pick<UpdateChannelRequest, 'settings' | 'updateMask'>,
  rules: SettingsRules,
): SettingsUpdate {
  const violations = new Violations();
  const input = request.settings;
  if (input !== undefined && input.interface !== '' && input.interface !== current.interface) {
    violations.add('settings.interface', `is fixed when the channel is opened: ${quoted(current.interface)}`);
  }
  let keys = namedKeys(request.updateMask ?? [], input, violations);
  if (input === undefined) keys = keys.filter((key) => key !== 'controllerLeaseMs');

  const settings = { ...current };
  const change = <K extends SettingsKey>(key: K): void => {
    const { path, normalise } = SETTINGS_FIELDS[key];
    const context = { field: `settings.${path}`, rules, interfaceName: current.interface, violations };
    settings[key] = normalise(input ?? EMPTY_SETTINGS, context);
  };
  keys.forEach(change);
  violations.throwIfAny();
  return { settings, paths: keys.map((key) => SETTINGS_FIELDS[key].path) };
}

function namedKeys(mask: readonly string[], input: ChannelSettings | undefined, violations: Violations): SettingsKey[] {
  if (mask.length === 0) return input === undefined ? [] : KEYS.filter((key) => SETTINGS_FIELDS[key].isSet(input));
  if (mask.length === 1 && mask[0] === '*') return [...KEYS];
  for (const path of mask) {
    if (!PATHS.includes(path)) {
      violations.add('update_mask', `paths must be * alone or of ${PATHS.join(', ')}; one is ${quoted(path)}`);
    }
  }
  return KEYS.filter((key) => mask.includes(SETTINGS_FIELDS[key].path));
}
