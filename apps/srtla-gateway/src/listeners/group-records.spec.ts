import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import type { UdpSocketHandle } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { pino } from 'pino';
import { KvPlace } from '../records/kv-place.ts';
import { RecordStore } from '../records/record-store.ts';
import { addressWords } from './endpoint.ts';
import { GroupRecords } from './group-records.ts';
import { LiveGroup } from './live-group.ts';
import { LiveListener } from './live-listener.ts';

const log = pino({ level: 'silent' });
const NOW = 1_800_000_000_000;
const SERVER = { address: '192.0.2.9', port: 5002 };
const options = { resumeWithinMs: 60_000, tombstoneMs: 3_600_000 };

const socket: UdpSocketHandle = {
  id: 1,
  implementation: 'dgram',
  fd: -1,
  address: '192.0.2.1',
  port: 30_007,
  dscp: 0,
  receiveBufferBytes: 0,
  sendBufferBytes: 0,
};

function listenerOf(name: string): LiveListener {
  return new LiveListener(
    socket,
    srtla.Listener.fromPartial({ listenerId: 'ln_a_1' }),
    srtla.ListenerSettings.fromPartial({ name }),
  );
}

function groupOf(listener: LiveListener, key: string, seenUnixMs: number): LiveGroup {
  const record = srtla.Group.fromPartial({
    groupId: `gr_a_${key}`,
    streamName: key,
    upstream: { address: '192.0.2.1', port: 30_007 },
  });
  const group = new LiveGroup(listener, key.repeat(256), record, seenUnixMs);
  group.stream = { callerSocketId: 0x9abc_def0, serverSocketId: 7, latencyMs: 200 };
  group.upstream = { socket, address: addressWords(SERVER), sessionId: 's' };
  return group;
}

describe('records of groups', () => {
  const kv = new EmbeddedBus().kv('groups', { ttlMs: 0 });
  let node = 0;
  const storeOf = (of: number): RecordStore => new RecordStore(new KvPlace(kv, `node-${of}`), log);

  test('the next instance gets what streamed a moment ago, by listener, and the keys of what was kicked', async () => {
    node += 1;
    const before = new GroupRecords(storeOf(node), options, log);
    const [main, other] = [listenerOf('main'), listenerOf('other')];
    before.put(groupOf(main, 'aa', NOW - 59_000));
    before.put(groupOf(main, 'bb', NOW - 61_000));
    before.put(groupOf(other, 'cc', NOW));
    const ended = groupOf(main, 'dd', NOW);
    before.put(ended);
    before.remove(ended);
    const silent = groupOf(main, 'ee', NOW);
    silent.stream = null;
    before.put(silent);
    for (const key of ['0f', '1f']) before.bury(groupOf(main, key, NOW), NOW - 1000);
    await before.stop();

    const after = new GroupRecords(storeOf(node), options, log);
    const { groups, endedKeys } = await after.takeLeft('main', NOW);
    expect(groups).toMatchObject([
      {
        group: { groupId: 'gr_a_aa', streamName: 'aa', upstream: { port: 30_007 } },
        serverAddress: SERVER,
        callerSocketId: 0x9abc_def0,
        serverSocketId: 7,
        seenTime: new Date(NOW - 59_000),
      },
    ]);
    expect(Buffer.from(groups[0].key).toString('hex')).toBe('aa'.repeat(256));
    expect(endedKeys.sort()).toEqual(['0f'.repeat(256), '1f'.repeat(256)]);
    expect((await after.takeLeft('other', NOW)).groups).toHaveLength(1);
    await after.stop();
    // What was too old to be of use is gone for good.
    expect((await storeOf(node).load()).size).toBe(4);
  });

  test('of a group that is heard something is written each ten seconds', async () => {
    node += 1;
    const store = storeOf(node);
    const records = new GroupRecords(store, options, log);
    const group = groupOf(listenerOf('main'), 'aa', NOW);
    records.put(group);
    group.seenUnixMs = NOW + 9_999;
    records.seen(group);
    expect(group.storedSeenUnixMs).toBe(NOW);
    group.seenUnixMs = NOW + 10_000;
    records.seen(group);
    expect(group.storedSeenUnixMs).toBe(NOW + 10_000);
    group.isOver = true;
    group.seenUnixMs = NOW + 30_000;
    records.seen(group);
    expect(group.storedSeenUnixMs).toBe(NOW + 10_000);
    await records.stop();
  });

  test('what is no record is left out, and goes', async () => {
    node += 1;
    await kv.put(`node-${node}.main.x`, new Uint8Array([255, 255, 255]));
    const records = new GroupRecords(storeOf(node), options, log);
    expect(await records.takeLeft('main', NOW)).toEqual({ groups: [], endedKeys: [] });
    await records.stop();
    expect((await storeOf(node).load()).size).toBe(0);
  });

  test('what is too old goes, whatever its listener was; what is young stays', async () => {
    node += 1;
    const before = new GroupRecords(storeOf(node), options, log);
    before.bury(groupOf(listenerOf('gone'), 'aa', NOW), NOW - 3_600_001);
    before.bury(groupOf(listenerOf('gone'), 'bb', NOW), NOW);
    before.put(groupOf(listenerOf('gone'), 'cc', NOW - 3_600_001));
    before.put(groupOf(listenerOf('main'), 'dd', NOW));
    await kv.put(`node-${node}.gone.x`, new Uint8Array([255, 255, 255]));
    await before.stop();
    const records = new GroupRecords(storeOf(node), options, log);
    await records.sweep(NOW);
    await records.stop();
    expect((await storeOf(node).load()).size).toBe(2);
  });

  test('names of records tell nothing of keys', async () => {
    node += 1;
    const records = new GroupRecords(storeOf(node), options, log);
    records.put(groupOf(listenerOf('main'), 'aa', NOW));
    await records.stop();
    const [name] = [...(await storeOf(node).load()).keys()];
    expect(name).toMatch(/^main\.[0-9a-f]{32}$/);
    expect(name).not.toContain('aaaaaaaa');
  });
});
