import { describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { addressWords } from './endpoint.ts';
import { ListenersBench, settingsOf, settled, statisticsOf } from './spec-bench.ts';

const KEY = 'ab'.repeat(256);
const OTHER = 'cd'.repeat(256);
const { EndReason } = srtla;

describe('a listener whose media thread has died', () => {
  test('goes on with its groups, also when the next thread dies too', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    await bench.stream(mediaId, KEY);
    bench.media.failingOpens = 1;
    await bench.die();
    for (let waits = 0; bench.media.failingOpens > 0 || !bench.media.sessions.has(mediaId); waits += 1) {
      if (waits > 100) throw new Error('it does not go on');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await settled();
    expect(bench.media.initOf(mediaId)?.resume).toMatchObject([{ id: KEY, stream: { callerSocketId: 7 } }]);
    expect(bench.kinds().filter((kind) => kind === 'groupUp' || kind === 'groupDown')).toEqual(['groupUp']);
    expect(bench.listeners.groupCount).toBe(1);
    // Its listener and its group.
    expect(bench.media.sessions.size).toBe(2);
    expect(bench.sockets.bound.size).toBe(2);
  });

  test('is deleted while it comes up again: nothing of it stays', async () => {
    const bench = new ListenersBench();
    const { mediaId, listenerId } = await bench.listen();
    await bench.stream(mediaId, KEY);
    await bench.die();
    await bench.listeners.delete(listenerId);
    await settled();
    expect(bench.events.at(-1)?.detail).toMatchObject({ $case: 'listenerClosed' });
    expect(bench.events.find(({ detail }) => detail?.$case === 'groupDown')?.detail).toMatchObject({
      value: { reason: EndReason.LISTENER_ENDED },
    });
    expect(bench.sockets.bound.size).toBe(0);
    expect(bench.media.sessions.size).toBe(0);
    await bench.groupStore.flush();
    expect((await bench.groupStore.load()).size).toBe(0);
  });

  test('a group that is kicked while it comes up again does not come back', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    await bench.stream(mediaId, KEY);
    const [group] = bench.listeners.groups();
    await bench.die();
    await bench.listeners.kick(group.id, 'off the air');
    await settled();
    expect(bench.listeners.groupCount).toBe(0);
    expect(bench.events.at(-1)?.detail).toMatchObject({
      $case: 'groupDown',
      value: { reason: EndReason.REQUESTED, reasonText: 'off the air' },
    });
    expect(bench.media.asked.at(-1)).toBe('kickGroup');
    await bench.die();
    await settled();
    expect(bench.media.initOf(mediaId)).toMatchObject({ resume: [], endedIds: [KEY] });
  });
});

describe('a group of a listener with one SRT server', () => {
  test('follows that server to another address when its session is over', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen('main', 'srt.example');
    bench.resolve = async ({ port }) => addressWords({ address: '192.0.2.9', port });
    const serial = await bench.stream(mediaId, KEY);
    bench.resolve = async ({ port }) => addressWords({ address: '192.0.2.10', port });
    bench.media.onEvent(mediaId, { type: 'ingest-ended', group: serial, by: 'silence' });
    await settled();
    const inits = [...bench.media.sessions.values()].map(({ init }) => init);
    expect(inits.filter(({ kind }) => kind === 'upstream')).toMatchObject([
      { server: addressWords({ address: '192.0.2.10', port: 5000 }) },
    ]);
    expect(bench.sockets.bound.size).toBe(2);
  });
});

test('new token keys reach every listener, though one has just lost its media thread', async () => {
  const bench = new ListenersBench();
  const [dead] = [await bench.listen('dead'), await bench.listen('main')];
  bench.media.sessions.delete(dead.mediaId);
  await bench.listeners.setTokenKeys({ current: { id: 2, secret: new Uint8Array(32) }, previous: undefined });
  expect(bench.media.asked.at(-1)).toBe('setTokenKeys');
});

test('a media thread that does not answer keeps nobody from seeing the streams of others', async () => {
  const bench = new ListenersBench();
  const [slow, main] = [await bench.listen('slow'), await bench.listen('main')];
  bench.media.stalled.add(slow.mediaId);
  const group = await bench.stream(main.mediaId, KEY);
  bench.media.statistics = statisticsOf(group);
  const groups = await new Promise<readonly { key: string }[]>((resolve) => (bench.onSamples = resolve));
  expect(groups.map(({ key }) => key)).toEqual([KEY]);
  bench.sampler.stop();
  await bench.listeners.stop();
  expect(bench.sockets.bound.size).toBe(0);
});

describe('a listener that waits for its port', () => {
  test('is told as waiting, and gives way to one that is made in its place, unless it is of the configuration', async () => {
    const before = new ListenersBench();
    const made = await before.listeners.create(settingsOf('made', '192.0.2.9', 15_001));
    await before.listeners.stop();
    await before.listenerStore.stop();
    const bench = before.successor();
    bench.sockets.taken.add(15_000).add(15_001);
    await bench.listeners.start([settingsOf('configured', '192.0.2.9', 15_000)]);
    expect(bench.listeners.waiting.sort()).toEqual(['configured', 'made']);
    const elsewhere = (name: string) => bench.listeners.create(settingsOf(name, '192.0.2.9', 15_002));
    await expect(elsewhere('configured')).rejects.toMatchObject({ reason: 'LISTENER_EXISTS' });
    expect(await elsewhere('made')).toMatchObject({ address: { port: 15_002 }, formerListenerId: '' });
    expect(made.listenerId).not.toBe('');
    expect(bench.listeners.waiting).toEqual(['configured']);
    await bench.listeners.stop();
  });
});

describe('after a restart', () => {
  test('groups of the moment when the port came free go on, not those of the start', async () => {
    const before = new ListenersBench();
    const { mediaId } = await before.listen();
    const [{ socket }] = before.listeners.values();
    await before.stream(mediaId, KEY);
    await before.groupStore.flush();
    // The next process runs already, and waits for the port.
    const after = before.successor();
    after.sockets.taken.add(socket.port);
    await after.listeners.start([settingsOf('main', '192.0.2.9', socket.port)]);
    before.media.onEvent(mediaId, { type: 'group-down', group: 1, reason: 'stream-ended' });
    await before.stream(mediaId, OTHER);
    await before.listeners.stop();
    await before.groupStore.stop();
    after.sockets.taken.clear();
    for (let waits = 0; after.listeners.size === 0; waits += 1) {
      if (waits > 100) throw new Error('it is not opened');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await settled();
    expect([...after.listeners.groups()].map(({ key }) => key)).toEqual([OTHER]);
    await after.listeners.stop();
  });
});

describe('the log', () => {
  const linesOf = (bench: ListenersBench): unknown[] => bench.logged.map(({ msg, level: _, ...rest }) => [msg, rest]);

  test('has a line for the end of a stream and one for that of its group, and says why', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    const serial = await bench.stream(mediaId, KEY);
    const [{ id: groupId }] = bench.listeners.groups();
    bench.logged.length = 0;
    bench.media.onEvent(mediaId, { type: 'ingest-ended', group: serial, by: 'encoder' });
    await bench.listeners.kick(groupId, 'off the air');
    expect(linesOf(bench)).toEqual([
      ['SRT session ended', { groupId, listener: 'main', stream: 'main', by: 'encoder', seconds: 0 }],
      ['group ended', { groupId, listener: 'main', stream: 'main', reason: 'requested', text: 'off the air' }],
    ]);
    expect(bench.events.find(({ detail }) => detail?.$case === 'groupStreamEnded')?.detail).toMatchObject({
      value: { by: srtla.StreamEnd.ENCODER, group: { groupId, state: srtla.GroupState.REGISTERED } },
    });
  });

  test('does not tell of groups that came to nothing', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    const serial = bench.media.groupUp(mediaId, OTHER, false, []);
    await settled();
    bench.logged.length = 0;
    bench.media.onEvent(mediaId, { type: 'group-down', group: serial, reason: 'no-stream' });
    expect(bench.logged).toEqual([]);
  });

  test('says once that an SRT server does not answer, until it does', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    const serial = bench.media.groupUp(mediaId, KEY, false, []);
    await settled();
    bench.logged.length = 0;
    const tell = (): void => bench.media.onEvent(mediaId, { type: 'ingest-unanswered', group: serial });
    tell();
    tell();
    expect(bench.logged).toMatchObject([
      { msg: 'the SRT server does not answer an encoder', server: { host: '192.0.2.9', port: 5000 } },
    ]);
    bench.accept(mediaId, serial);
    bench.media.onEvent(mediaId, { type: 'ingest-ended', group: serial, by: 'server' });
    tell();
    expect(bench.logged.filter(({ msg }) => msg === 'the SRT server does not answer an encoder')).toHaveLength(2);
  });

  test('and the event give the reason of a verdict, and no server that had no part in it', async () => {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listenByRules();
    const serial = bench.media.groupUp(mediaId, KEY, false, []);
    await settled();
    const address = addressWords({ address: '198.51.100.1', port: 4000 });
    const request = { request: 1, streamId: 'nothing/like/it', latencyMs: 200, isEncrypted: false, address };
    bench.media.onEvent(mediaId, { type: 'ingest-request', group: serial, ...request });
    await settled();
    const refused = { reason: 1403, by: 'verdict', streamId: 'nothing/like/it', address } as const;
    bench.media.onEvent(mediaId, { type: 'ingest-refused', group: serial, ...refused });
    const line = bench.logged.find(({ msg }) => msg === 'encoder refused');
    expect(line?.text).toMatch(/rule/);
    expect(line).not.toHaveProperty('server');
    expect(bench.events.at(-1)?.detail).toMatchObject({ $case: 'ingestRefused', value: { text: line?.text } });
  });
});

test('the set-up of a stream is a span, from the first word of its encoder on', async () => {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  try {
    const bench = new ListenersBench();
    const { mediaId } = await bench.listen();
    await bench.stream(mediaId, KEY);
    const [{ id }] = bench.listeners.groups();
    const [span] = exporter.getFinishedSpans();
    expect(span).toMatchObject({
      name: 'srtla set-up',
      duration: [0, 250e6],
      attributes: { 'media.listener.name': 'main', 'media.session.id': id, 'media.stream.name': 'main' },
    });
  } finally {
    trace.disable();
  }
});
