import type { Events, WatchItem } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';
import { GROUP_KIND, LISTENER_KIND, UPLINK_KIND } from '../kinds.ts';
import { watchOptions } from './sessions.ts';
import type { StatisticsBus } from './statistics-bus.ts';
import { SampleQueue, withSamples } from './with-samples.ts';

type SrtlaEvents = Events<srtla.SrtlaSession, srtla.SrtlaEvent>;
type Item = WatchItem<srtla.SrtlaSession, srtla.SrtlaEvent>;

/** WatchGroups: what the event stream tells of listeners and groups, in the words of the API, and the statistics of those it told of. */
export async function* watchGroups(
  events: SrtlaEvents,
  statistics: StatisticsBus,
  request: srtla.WatchGroupsRequest,
  signal: AbortSignal,
): AsyncGenerator<srtla.WatchGroupsResponse> {
  const { sessionIds: ids, filter, resumeToken, heartbeatMs } = request;
  const kinds = [GROUP_KIND, LISTENER_KIND];
  const options = watchOptions({ ids, idsField: 'session_ids', kinds, filter, resumeToken, heartbeatMs }, signal);
  const told = new Told(options.resumeToken !== undefined && filter === '' && ids.length === 0);
  const samples = new SampleQueue<srtla.GroupSample>();
  using following = new DisposableStack();
  if (request.withStatistics) {
    following.use(
      statistics.follow(({ groups }) => {
        for (const sample of groups) if (told.has(sample.groupId)) samples.push(sample.groupId, sample);
      }),
    );
  }
  for await (const item of withSamples(events.watch(options), samples)) {
    if (!('kind' in item)) {
      yield { resumeToken: '', item: { $case: 'statistics', value: item } };
      continue;
    }
    told.note(item);
    const { session } = item.kind === 'session' ? item.record : { session: undefined };
    if (session?.$case === 'listener') yield { resumeToken: '', item: { $case: 'listener', value: session.value } };
    else if (session?.$case === 'group') yield { resumeToken: '', item: { $case: 'group', value: session.value } };
    else if (item.kind !== 'session') yield { resumeToken: item.resumeToken, item: changeOf(item, told.count) };
  }
}

/** WatchUplinks: the same for uplinks. */
export async function* watchUplinks(
  events: SrtlaEvents,
  statistics: StatisticsBus,
  request: srtla.WatchUplinksRequest,
  signal: AbortSignal,
): AsyncGenerator<srtla.WatchUplinksResponse> {
  const { uplinkIds: ids, filter, resumeToken, heartbeatMs } = request;
  const kinds = [UPLINK_KIND];
  const options = watchOptions({ ids, idsField: 'uplink_ids', kinds, filter, resumeToken, heartbeatMs }, signal);
  const told = new Told(options.resumeToken !== undefined && filter === '' && ids.length === 0);
  const samples = new SampleQueue<srtla.UplinkSample>();
  using following = new DisposableStack();
  if (request.withStatistics) {
    following.use(
      statistics.follow(({ uplinks }) => {
        for (const sample of uplinks) if (told.has(sample.uplinkId)) samples.push(sample.uplinkId, sample);
      }),
    );
  }
  for await (const item of withSamples(events.watch(options), samples)) {
    if (!('kind' in item)) {
      yield { resumeToken: '', item: { $case: 'statistics', value: item } };
      continue;
    }
    told.note(item);
    const { session } = item.kind === 'session' ? item.record : { session: undefined };
    if (session?.$case === 'uplink') yield { resumeToken: '', item: { $case: 'uplink', value: session.value } };
    else if (item.kind !== 'session') yield { resumeToken: item.resumeToken, item: changeOf(item, told.count) };
  }
}

type Change =
  | { readonly $case: 'event'; readonly value: srtla.SrtlaEvent }
  | { readonly $case: 'snapshotEnd'; readonly value: srtla.SnapshotEnd }
  | { readonly $case: 'heartbeat'; readonly value: srtla.Heartbeat };

function changeOf(item: Exclude<Item, { kind: 'session' }>, sessionCount: number): Change {
  switch (item.kind) {
    case 'snapshot-end':
      return { $case: 'snapshotEnd', value: { sessionCount } };
    case 'event':
      return { $case: 'event', value: item.event };
    case 'heartbeat':
      return { $case: 'heartbeat', value: { heartbeatTime: new Date() } };
  }
}

/** Sessions that the watcher knows of: of others it gets no statistics. One that resumes without a filter knows all. */
class Told {
  readonly #ids = new Set<string>();
  readonly #all: boolean;
  /** Sessions of the snapshot. */
  count = 0;

  constructor(all: boolean) {
    this.#all = all;
  }

  has(id: string): boolean {
    return this.#all || this.#ids.has(id);
  }

  note(item: Item): void {
    if (item.kind === 'session') this.count += 1;
    if (item.kind === 'session' || (item.kind === 'event' && !item.final)) this.#ids.add(item.sessionId);
    else if (item.kind === 'event') this.#ids.delete(item.sessionId);
  }
}
