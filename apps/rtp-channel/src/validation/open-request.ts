import type { ChannelSettings, OpenChannelRequest } from '@mediaplane/proto';
import { Violations } from '@mediaplane/service';
import type { SettingsRules } from './settings.ts';
import { EMPTY_SETTINGS, normaliseSettings } from './settings.ts';

const MAX_BATCH = 32;

/** @throws ServiceError INVALID_ARGUMENT */
export function validateOpen(request: OpenChannelRequest, rules: SettingsRules): ChannelSettings {
  const violations = new Violations();
  const settings = normaliseSettings(request.settings ?? EMPTY_SETTINGS, 'settings', rules, violations);
  violations.throwIfAny();
  return settings;
}

/** @throws ServiceError INVALID_ARGUMENT, for all entries that are wrong */
export function validateBatchOpen(requests: readonly OpenChannelRequest[], rules: SettingsRules): ChannelSettings[] {
  const violations = new Violations();
  if (requests.length < 1 || requests.length > MAX_BATCH) {
    violations.add('requests', `must have 1 to ${MAX_BATCH} entries, has ${requests.length}`);
  }
  const settings = requests
    .slice(0, MAX_BATCH)
    .map((request, i) =>
      normaliseSettings(request.settings ?? EMPTY_SETTINGS, `requests[${i}].settings`, rules, violations),
    );
  violations.throwIfAny();
  return settings;
}
