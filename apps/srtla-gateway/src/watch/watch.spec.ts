import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus, makeSessionId } from '@mediaplane/control';
import type { Directory, DirectoryEntry, Events, WatchItem, WatchOptions } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { listSessions, lostEvent } from './sessions.ts';
import { StatisticsBus } from './statistics-bus.ts';
import { watchGroups } from './watch.ts';
import { SampleQueue, withSamples } from './with-samples.ts';

type Item = WatchItem<srtla.SrtlaSession, srtla.SrtlaEvent>;
const groupId = makeSessionId('gr', 'one');
const otherId = makeSessionId('gr', 'two');
const uplinkId = makeSessionId('up', 'one');
const listenerId = makeSessionId('ln', 'one');

const group = (id: string, labels = {}): srtla.SrtlaSession => ({
  session: { $case: 'group', value: srtla.Group.fromPartial({ groupId: id, listenerId, labels }) },
});
const uplink: srtla.SrtlaSession = { session: { $case: 'uplink', value: srtla.Uplink.fromPartial({ uplinkId }) } };

function directoryOf(entries: readonly [string, srtla.SrtlaSession][]): Directory<srtla.SrtlaSession> {
  const sorted = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
  const found = sorted.map(([sessionId, record]): DirectoryEntry<srtla.SrtlaSession> => {
    return { sessionId, record, instanceId: sessionId.split('_')[1] };
  });
  return {
    put: () => undefined,
    remove: () => undefined,
    pending: () => false,
    list: async () => found,
    async *walk(after = '') {
      yield* found.filter(({ sessionId }) => sessionId > after);
    },
    flush: async () => undefined,
  };
}

describe('lists', () => {
  const directory = directoryOf([
    [groupId, group(groupId, { show: 'news' })],
    [otherId, group(otherId)],
    [uplinkId, uplink],
  ]);
  const page = { pageSize: 0, pageToken: '', filter: '' };

  test('are of one kind, filtered, and go on where their page ended', async () => {
    expect((await listSessions(directory, 'uplink', page)).sessions).toMatchObject([{ uplinkId }]);
    expect((await listSessions(directory, 'group', { ...page, filter: 'labels.show:*' })).sessions).toHaveLength(1);
    expect((await listSessions(directory, 'group', { ...page, filter: 'instance_id = "two"' })).sessions).toHaveLength(
      1,
    );
    const first = await listSessions(directory, 'group', { ...page, pageSize: 1 });
    expect(first.sessions).toHaveLength(1);
    const { nextPageToken: pageToken } = first;
    const second = await listSessions(directory, 'group', { ...page, pageSize: 1, pageToken });
    expect([...first.sessions, ...second.sessions].map((each) => each.groupId)).toEqual([groupId, otherId].sort());
    expect(second.nextPageToken).toBe('');
    await expect(listSessions(directory, 'uplink', { ...page, pageToken })).rejects.toMatchObject({
      fieldViolations: [{ field: 'page_token' }],
    });
  });
});

test('the last event of a lost session is of its kind', () => {
  const words = (sessionId: string, record: srtla.SrtlaSession) =>
    lostEvent({ sessionId, instanceId: 'one', record }, 'two').detail;
  const reason = srtla.EndReason.INSTANCE_LOST;
  expect(words(groupId, group(groupId))).toMatchObject({ $case: 'groupDown', value: { reason } });
  expect(words(uplinkId, uplink)).toMatchObject({ $case: 'uplinkClosed', value: { reason } });
  const listener: srtla.SrtlaSession = { session: { $case: 'listener', value: srtla.Listener.fromPartial({}) } };
  expect(words(listenerId, listener)).toEqual({ $case: 'listenerClosed', value: { reason } });
});

describe('samples between items', () => {
  test('a slow reader gets the latest of each', async () => {
    const samples = new SampleQueue<string>();
    const items = Promise.withResolvers<void>();
    const read: string[] = [];
    const reading = (async () => {
      const source = (async function* () {
        yield 'first';
        await items.promise;
      })();
      for await (const item of withSamples(source, samples)) {
        read.push(item);
        if (item === 'b2') items.resolve();
      }
    })();
    samples.push('a', 'a1');
    samples.push('a', 'a2');
    samples.push('b', 'b2');
    await reading;
    expect(read.sort()).toEqual(['a2', 'b2', 'first']);
  });
});

describe('WatchGroups', () => {
  const request = srtla.WatchGroupsRequest.fromPartial({ withStatistics: true });

  function eventsOf(items: readonly Item[], asked: WatchOptions<srtla.SrtlaSession, srtla.SrtlaEvent>[] = []) {
    const events: Events<srtla.SrtlaSession, srtla.SrtlaEvent> = {
      publish: () => undefined,
      async *watch(options) {
        asked.push(options);
        yield* items;
        await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
      },
    };
    return events;
  }

  test('gives statistics of what it told of, and of nothing else', async () => {
    const bus = new EmbeddedBus();
    const statistics = new StatisticsBus(bus);
    const end = new AbortController();
    const items: Item[] = [
      { kind: 'session', sessionId: groupId, record: group(groupId) },
      { kind: 'snapshot-end', resumeToken: 't.1' },
    ];
    const seen: string[] = [];
    const report = (): void =>
      statistics.report(
        () => [otherId, groupId].map((id) => srtla.GroupSample.fromPartial({ groupId: id, statistics: {} })),
        () => [],
      );
    for await (const { item } of watchGroups(eventsOf(items), statistics, request, end.signal)) {
      seen.push(item?.$case === 'statistics' ? item.value.groupId : (item?.$case ?? ''));
      if (item?.$case === 'snapshotEnd') setTimeout(report);
      if (item?.$case === 'statistics') end.abort();
    }
    expect(seen).toEqual(['group', 'snapshotEnd', groupId]);
    statistics[Symbol.dispose]();
    await bus.close();
  });

  test('of those it resumes by name it gives statistics, and bears what is no report', async () => {
    const bus = new EmbeddedBus();
    const statistics = new StatisticsBus(bus);
    const end = new AbortController();
    const resumed = { ...request, sessionIds: [groupId], resumeToken: 't.1' };
    const seen: string[] = [];
    const report = (): void => {
      bus.publish('mp.v1.srtla-gateway.statistics', new Uint8Array([255, 255]));
      statistics.report(
        () => [otherId, groupId].map((id) => srtla.GroupSample.fromPartial({ groupId: id, statistics: {} })),
        () => [],
      );
    };
    setTimeout(report, 10);
    for await (const { item } of watchGroups(eventsOf([]), statistics, resumed, end.signal)) {
      if (item?.$case === 'statistics') seen.push(item.value.groupId);
      end.abort();
    }
    expect(seen).toEqual([groupId]);
    statistics[Symbol.dispose]();
    await bus.close();
  });

  test('asks for its kinds alone, and names what is wrong', async () => {
    const asked: WatchOptions<srtla.SrtlaSession, srtla.SrtlaEvent>[] = [];
    const bus = new EmbeddedBus();
    const statistics = new StatisticsBus(bus);
    const end = new AbortController();
    const first = (partial: Partial<srtla.WatchGroupsRequest>) =>
      watchGroups(
        eventsOf([{ kind: 'heartbeat', resumeToken: 't' }], asked),
        statistics,
        { ...request, ...partial },
        end.signal,
      ).next();
    await first({ sessionIds: [groupId, listenerId] });
    const { filter } = asked[0];
    expect(filter?.({ kind: 'session', sessionId: groupId, record: group(groupId) })).toBe(true);
    expect(filter?.({ kind: 'session', sessionId: uplinkId, record: uplink })).toBe(false);
    await expect(first({ sessionIds: [uplinkId] })).rejects.toMatchObject({
      fieldViolations: [{ field: 'session_ids[0]' }],
    });
    await expect(first({ heartbeatMs: 5 })).rejects.toMatchObject({ fieldViolations: [{ field: 'heartbeat_ms' }] });
    await expect(first({ filter: '?' })).rejects.toMatchObject({ fieldViolations: [{ field: 'filter' }] });
    end.abort();
    statistics[Symbol.dispose]();
    await bus.close();
  });

  test('nobody who watches, nothing that is made for it', () => {
    const bus = new EmbeddedBus();
    const statistics = new StatisticsBus(bus);
    let made = 0;
    statistics.report(
      () => {
        made += 1;
        return [];
      },
      () => [],
    );
    expect(made).toBe(0);
    statistics[Symbol.dispose]();
  });
});
