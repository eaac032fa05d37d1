import { ServiceError } from '@mediaplane/control';
import { instanceStateToJSON } from '@mediaplane/proto';
import type { Instance, ListInstancesResponse } from '@mediaplane/proto';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
const CONDITION = /^\s*(state|zone|version)\s*=\s*(?:"([^"]*)"|([A-Za-z0-9_.-]+))\s*$/;

/** `state = SERVING AND zone = "a"`, see FleetService. @throws ServiceError INVALID_ARGUMENT */
export function filteredInstances(instances: readonly Instance[], filter: string): Instance[] {
  if (filter.trim() === '') return [...instances];
  const conditions = filter.split(/\sAND\s/).map((text) => {
    const match = CONDITION.exec(text);
    if (match === null) {
      throw ServiceError.invalidField(
        'filter',
        'must be conditions `state = X`, `zone = "X"` or `version = "X"` joined by AND',
      );
    }
    return { key: match[1], value: match[2] ?? match[3] };
  });
  const valueOf = (instance: Instance, key: string): string => {
    if (key === 'state') return instanceStateToJSON(instance.state).replace('INSTANCE_STATE_', '');
    return key === 'zone' ? instance.zone : instance.version;
  };
  return instances.filter((instance) => conditions.every(({ key, value }) => valueOf(instance, key) === value));
}

/** The page token is the last instance id of the page before, so a page is stable while instances come and go. */
export function instancePage(
  instances: readonly Instance[],
  pageSize: number,
  pageToken: string,
): ListInstancesResponse {
  if (pageSize < 0 || pageSize > MAX_PAGE) {
    throw ServiceError.invalidField('page_size', `must be 1 to ${MAX_PAGE}, or 0 for ${DEFAULT_PAGE}`);
  }
  if (!/^[a-z0-9]{0,32}$/.test(pageToken)) throw ServiceError.invalidField('page_token', 'must be a next_page_token');
  const size = pageSize === 0 ? DEFAULT_PAGE : pageSize;
  const rest = instances
    .filter((instance) => instance.instanceId > pageToken)
    .sort((a, b) => (a.instanceId < b.instanceId ? -1 : 1));
  const page = rest.slice(0, size);
  return { instances: page, nextPageToken: rest.length > size ? (page.at(-1)?.instanceId ?? '') : '' };
}
