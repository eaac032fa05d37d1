import type { Events, WatchItem } from '@mediaplane/control';
import type { srtla } from '@mediaplane/proto';
import { GROUP_KIND, LISTENER_KIND, UPLINK_KIND } from '../kinds.ts';
import { watchOptions } from './sessions.ts';
import type { WatchRequest } from './sessions.ts';
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
  const { sessionIds: ids, filter, resumeToken, heartbeatMs, withStatistics } = request;
  const kinds = [GROUP_KIND, LISTENER_KIND];
  const watch = { ids, idsField: 'session_ids', kinds, filter, resumeToken, heartbeatMs };
  const subscribe = (push: Push<srtla.GroupSample>): Disposable =>
    statistics.follow(({ groups }) => groups.forEach((sample) => push(sample.groupId, sample)));
  for await (const item of follow(events, watch, withStatistics ? subscribe : undefined, signal)) {
    if (item.kind === 'change') yield { resumeToken: item.resumeToken, item: item.change };
    else if (item.kind === 'statistics') yield { resumeToken: '', item: { $case: 'statistics', value: item.sample } };
    else if (item.session.$case !== 'uplink') yield { resumeToken: '', item: item.session };
  }
}

/** WatchUplinks: the same for uplinks. */
export async function* watchUplinks(
  events: SrtlaEvents,
  statistics: StatisticsBus,
  request: srtla.WatchUplinksRequest,
  signal: AbortSignal,
): AsyncGenerator<srtla.WatchUplinksResponse> {
  const { uplinkIds: ids, filter, resumeToken, heartbeatMs, withStatistics } = request;
  const watch = { ids, idsField: 'uplink_ids', kinds: [UPLINK_KIND], filter, resumeToken, heartbeatMs };
  const subscribe = (push: Push<srtla.UplinkSample>): Disposable =>
    statistics.follow(({ uplinks }) => uplinks.forEach((sample) => push(sample.uplinkId, sample)));
  for await (const item of follow(events, watch, withStatistics ? subscribe : undefined, signal)) {
    if (item.kind === 'change') yield { resumeToken: item.resumeToken, item: item.change };
    else if (item.kind === 'statistics') yield { resumeToken: '', item: { $case: 'statistics', value: item.sample } };
    else if (item.session.$case === 'uplink') yield { resumeToken: '', item: item.session };
  }
}

type Push<S> = (id: string, sample: S) => void;

type Watched<S> =
  | { readonly kind: 'session'; readonly session: NonNullable<srtla.SrtlaSession['session']> }
  | { readonly kind: 'change'; readonly resumeToken: string; readonly change: Change }
  | { readonly kind: 'statistics'; readonly sample: S };

async function* follow<S extends object>(
  events: SrtlaEvents,
  request: WatchRequest,
  subscribe: ((push: Push<S>) => Disposable) | undefined,
  signal: AbortSignal,
): AsyncGenerator<Watched<S>> {
  const options = watchOptions(request, signal);
  const { resumeToken, filter, ids } = request;
  const told = new Told(resumeToken === '' ? [] : ids, resumeToken !== '' && filter === '' && ids.length === 0);
  const samples = new SampleQueue<Watched<S>>();
  using following = new DisposableStack();
  if (subscribe !== undefined) {
    const push: Push<S> = (id, sample) => {
      if (told.has(id)) samples.push(id, { kind: 'statistics', sample });
    };
    following.use(subscribe(push));
  }
  yield* withSamples(inWords(events.watch(options), told), samples);
}

async function* inWords<S>(items: AsyncIterable<Item>, told: Told): AsyncGenerator<Watched<S>> {
  for await (const item of items) {
    told.note(item);
    if (item.kind !== 'session') {
      yield { kind: 'change', resumeToken: item.resumeToken, change: changeOf(item, told.count) };
    } else if (item.record.session !== undefined) {
      yield { kind: 'session', session: item.record.session };
    }
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

/** Sessions that the watcher knows of: of others it gets no statistics. One that resumes knows those it names, without a filter all. */
class Told {
  readonly #ids: Set<string>;
  readonly #all: boolean;
  /** Sessions of the snapshot. */
  count = 0;

  constructor(known: readonly string[], all: boolean) {
    this.#ids = new Set(known);
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
