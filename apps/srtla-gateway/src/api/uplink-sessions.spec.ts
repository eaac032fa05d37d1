import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createUdpSockets } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { FakeMedia } from '../uplinks/spec-parts.ts';
import { Uplinks } from '../uplinks/uplinks.ts';
import { UplinkSessions } from './uplink-sessions.ts';

const { LinkState } = srtla;
/** From one look around to the next, in which a second of the uplinks' own time passes, however long the machine takes. */
const TEND_MS = 20;
const SOME_SECONDS = 5;

let media: FakeMedia;
let uplinks: Uplinks;
let sessions: UplinkSessions;
/** What the directory gets. */
let records: srtla.Uplink[];
let published: string[];
/** Resolves when the uplinks have been looked at so often again. */
let seconds: (count: number) => Promise<void>;

beforeEach(() => {
  media = new FakeMedia();
  records = [];
  published = [];
  let wake = (): void => undefined;
  let created = 0;
  let looks = 0;
  seconds = async (count) => {
    for (let i = 0; i < count; i += 1) await new Promise<void>((resolve) => (wake = resolve));
  };
  uplinks = new Uplinks({
    media,
    sockets: createUdpSockets('native'),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    newUplinkId: () => `up_test_${(created += 1)}`,
    onEvent: (event) => sessions.onEvent(event),
    onStatistics: (view) => {
      sessions.onStatistics(view);
      looks += 1;
      wake();
    },
    nowMs: () => looks * 1000,
    tendMs: TEND_MS,
    routeProblem: async () => '',
  });
  sessions = new UplinkSessions({
    instanceId: 'test',
    uplinks: () => uplinks,
    events: {
      record: (_, session) => void (session.$case === 'uplink' && records.push(session.value)),
      publish: (_, { $case }) => void published.push($case),
      end: (_, { $case }) => void published.push($case),
    },
    records: { keep: () => undefined, remove: () => undefined },
  });
});

afterEach(async () => {
  await sessions.closeAll();
  await uplinks.stop();
});

test('an uplink is listed as it is, also when what has changed is known only after its event', async () => {
  const { uplinkId } = await sessions.create(
    srtla.UplinkSettings.fromPartial({
      name: 'van',
      receiverHost: '127.0.0.9',
      receiverPort: 5000,
      links: [{ address: '127.0.0.1' }],
    }),
  );
  await seconds(1);
  expect(records.at(-1)?.links).toMatchObject([{ state: LinkState.REGISTERING }]);
  media.setLink(0, { state: 'live' });
  uplinks.onMediaEvent(uplinkId, { type: 'uplink-link-up', link: 0 });
  expect(published).toEqual(['uplinkOpened', 'linkUp']);
  await seconds(2);
  expect(records.at(-1)?.links).toMatchObject([{ state: LinkState.UP, complaint: '' }]);

  const before = records.length;
  await seconds(SOME_SECONDS);
  expect(records).toHaveLength(before);
  media.setLink(0, { suspect: true });
  await seconds(2);
  expect(records.slice(before)).toMatchObject([{ links: [{ state: LinkState.SUSPECT }] }]);
  expect(published).toEqual(['uplinkOpened', 'linkUp']);
});

test('all of them end when the grace period is over, also when one is deleted at that moment', async () => {
  const ids: string[] = [];
  for (const name of ['van', 'boat', 'tent']) {
    const settings = srtla.UplinkSettings.fromPartial({ name, receiverHost: '127.0.0.9', receiverPort: 5000 });
    ids.push((await sessions.create(settings)).uplinkId);
  }
  const [closed] = await Promise.allSettled([sessions.closeAll(), sessions.delete(ids[1])]);
  expect(closed).toEqual({ status: 'fulfilled', value: undefined });
  expect([sessions.count, uplinks.count]).toEqual([0, 0]);
  expect(published.filter((kind) => kind === 'uplinkClosed')).toHaveLength(ids.length);
});

test('one that the fleet has given up goes on with another id, and tells of the one before', async () => {
  const settings = srtla.UplinkSettings.fromPartial({ name: 'van', receiverHost: '127.0.0.9', receiverPort: 5000 });
  const { uplinkId } = await sessions.create(settings);
  sessions.renew(new Set([uplinkId, 'gr_other_1']), () => 'up_test_renewed');
  expect(published).toEqual(['uplinkOpened', 'uplinkOpened']);
  expect(records.at(-1)).toMatchObject({ uplinkId: 'up_test_renewed', formerUplinkId: uplinkId });
  expect(() => sessions.describe(uplinkId, false)).toThrow('there is no uplink');
  // The media thread knows it by its first id for ever.
  uplinks.onMediaEvent(uplinkId, { type: 'uplink-registered' });
  expect(published.at(-1)).toBe('uplinkRegistered');
  expect((await sessions.delete('up_test_renewed')).uplinkId).toBe('up_test_renewed');
  expect([sessions.count, uplinks.count]).toEqual([0, 0]);
});
