import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { connectNats } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { freePort, startNatsServer, tempFolder, TestProcess } from '@mediaplane/testkit';
import { describeIf } from '@mediaplane/testkit/jest';
import { TestAuthorizer } from './support/authorizer.ts';
import { Follower } from './support/follower.ts';
import { startInstance } from './support/instance.ts';
import { PlainSender } from './support/plain-sender.ts';
import { SrtChain } from './support/srt-chain.ts';

const { GroupView, IngestRefusal } = srtla;
const LATENCY_MS = 2000;
const PACKETS = 500;
const SECRET = 'Xk92secretQv7';
const READ_KEY = 'sesame';

describeIf(['srt-live-transmit', 'nats-server'], 'who may publish', (programs) => {
  const program = programs['srt-live-transmit'];
  const accept = (port: number): srtla.AuthorizeIngestResponse => ({
    verdict: { $case: 'accept', value: { server: { host: 'localhost', port }, streamName: 'evening show' } },
  });

  test('somebody else decides over gRPC, and the key of a stream is shown to nobody but him', async () => {
    await using stack = new AsyncDisposableStack();
    const collector = stack.use(await Collector.start());
    const folder = stack.use(await tempFolder('gateway'));
    const serverPort = await freePort();
    const authorizer = stack.use(await TestAuthorizer.start(() => accept(serverPort)));
    const instance = stack.use(
      await startInstance(folder.path, {
        MEDIAPLANE_STATISTICS_READ_KEY: READ_KEY,
        MEDIAPLANE_TELEMETRY_OTLP_ENDPOINT: collector.url,
        MEDIAPLANE_TELEMETRY_TRACE_SAMPLE_PERCENT: '100',
        MEDIAPLANE_LOG_LEVEL: 'trace',
      }),
    );
    const { gateway } = instance;
    const ask = { action: { $case: 'callback' as const, value: grpc(authorizer.target) } };
    const { listener } = await gateway.createListener({
      settings: {
        name: 'main',
        ingest: { policy: { $case: 'rules', value: { rules: [{ user: 'ann', then: ask }] } } },
      },
    });
    const follower = stack.use(new Follower((signal) => gateway.watchGroups({ withStatistics: true }, { signal })));
    const sender = stack.use(await PlainSender.start(listener?.address?.port ?? 0, 2));
    const streamId = `#!::u=ann,r=live/${SECRET},s=${SECRET}`;
    const chain = await SrtChain.start(
      { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '0123456789', streamId },
      stack,
    );
    await chain.stream(0, PACKETS);
    expect(await chain.missing(PACKETS)).toEqual([]);
    expect(authorizer.requests).toMatchObject([
      { streamId, user: 'ann', session: SECRET, listenerName: 'main', encrypted: true, latencyMs: LATENCY_MS },
    ]);

    const { group } = await follower.event('groupStreaming');
    expect(group).toMatchObject({ streamName: 'evening show', encrypted: true, server: { port: serverPort } });
    expect(group?.streamIdRedacted).toMatch(/^#!::u=.*,r=live…\(18\),s=Xk9…\(13\)$/);
    await follower.until(({ item }) => (item?.$case === 'statistics' ? item.value : undefined));
    const groupId = group?.groupId ?? '';
    const admin = (page: string): Promise<string> =>
      fetch(`http://${instance.adminAddress}${page}`).then((r) => r.text());
    const page = await statisticsAddress(instance.process);
    const shown = [
      await gateway.listGroups({}),
      await gateway.getGroup({ groupId, view: GroupView.STATS }),
      await gateway.listListeners({}),
      await admin('/'),
      await admin('/metrics'),
      await fetch(`http://${page}/stats?key=${READ_KEY}`).then((response) => response.text()),
      await gateway.kickGroup({ groupId }),
      follower.responses,
    ];
    await instance.process.stop();
    const said = [JSON.stringify(shown), instance.process.lines.join('\n'), ...(await contentsOf(folder.path))];
    expect(collector.bodies.length).toBeGreaterThan(0);
    for (const text of [...said, ...collector.bodies]) expect(text).not.toContain(SECRET);
  }, 60_000);

  test('rules refuse, and the encoder is told with which code', async () => {
    await using stack = new AsyncDisposableStack();
    const folder = stack.use(await tempFolder('gateway'));
    const { gateway } = stack.use(await startInstance(folder.path));
    const banned = { action: { $case: 'refuse' as const, value: IngestRefusal.FORBIDDEN } };
    const { listener } = await gateway.createListener({
      settings: {
        name: 'main',
        ingest: { policy: { $case: 'rules', value: { rules: [{ resource: 'banned*', then: banned }] } } },
      },
    });
    const follower = stack.use(new Follower((signal) => gateway.watchGroups({}, { signal })));
    const refusals = async (streamId: string): Promise<srtla.IngestRefused> => {
      const sender = stack.use(await PlainSender.start(listener?.address?.port ?? 0, 1));
      const to = `srt://127.0.0.1:${sender.port}?mode=caller${streamId === '' ? '' : `&streamid=${streamId}`}`;
      const before = follower.events.length;
      stack.use(
        await TestProcess.start(program, {
          args: ['-q', '-loglevel:fatal', `udp://127.0.0.1:${await freePort()}`, to],
        }),
      );
      return follower.until(({ item }) => {
        const event = item?.$case === 'event' ? item.value : undefined;
        const isNew = event !== undefined && follower.events.indexOf(event) >= before;
        return isNew && event.detail?.$case === 'ingestRefused' ? event.detail.value : undefined;
      });
    };
    expect(await refusals('')).toMatchObject({ refusal: IngestRefusal.UNAUTHORIZED, rejection: 1401, byServer: false });
    expect(await refusals('banned-7')).toMatchObject({ refusal: IngestRefusal.FORBIDDEN, rejection: 1403 });
  }, 60_000);

  test('listeners of the configuration, a decision on the bus, and nobody who decides', async () => {
    await using stack = new AsyncDisposableStack();
    const nats = stack.use(await startNatsServer());
    const folder = stack.use(await tempFolder('gateway'));
    const serverPort = await freePort();
    const file = join(folder.path, 'config.yaml');
    await writeFile(
      file,
      [
        'listeners:',
        '  - name: main',
        '    rules:',
        '      - {resource: "live/*", callbackSubject: ask.me, streamName: "of {resource}"}',
        '    withoutStreamId: {callbackSubject: ask.nobody}',
      ].join('\n'),
    );
    const bus = await connectNats({ servers: [nats.url], name: 'integrator' });
    stack.defer(() => bus.close());
    const asked: string[] = [];
    bus.respond('ask.me', async ({ payload }) => {
      asked.push(srtla.AuthorizeIngestRequest.decode(payload).resource);
      const value = { server: { host: '127.0.0.1', port: serverPort }, streamName: '' };
      return srtla.AuthorizeIngestResponse.encode({ verdict: { $case: 'accept', value } }).finish();
    });
    const env = {
      MEDIAPLANE_CONFIG: file,
      MEDIAPLANE_BUS_NATS_URL: nats.url,
      MEDIAPLANE_STATISTICS_READ_KEY: READ_KEY,
    };
    const { gateway, process } = stack.use(await startInstance(folder.path, env));
    const { listeners } = await gateway.listListeners({});
    expect(listeners).toMatchObject([{ configured: true, settings: { name: 'main' } }]);
    const [{ listenerId, address }] = listeners;
    await expect(gateway.deleteListener({ listenerId })).rejects.toMatchObject({ reason: 'LISTENER_CONFIGURED' });

    const follower = stack.use(new Follower((signal) => gateway.watchGroups({}, { signal })));
    const sender = stack.use(await PlainSender.start(address?.port ?? 0, 2));
    const streamId = 'live/one';
    await SrtChain.start(
      { program, serverPort, encoderPort: sender.port, latencyMs: LATENCY_MS, passphrase: '', streamId },
      stack,
    );
    expect(asked).toEqual(['live/one']);
    expect((await follower.event('groupStreaming')).group).toMatchObject({ streamName: 'of live/one' });

    const other = stack.use(await PlainSender.start(address?.port ?? 0, 1));
    const to = `srt://127.0.0.1:${other.port}?mode=caller`;
    stack.use(
      await TestProcess.start(program, { args: ['-q', '-loglevel:fatal', `udp://127.0.0.1:${await freePort()}`, to] }),
    );
    expect(await follower.event('ingestRefused')).toMatchObject({
      refusal: IngestRefusal.UNAVAILABLE,
      rejection: 1503,
    });

    const page = await statisticsAddress(process);
    expect((await fetch(`http://${page}/stats`)).status).toBe(401);
    expect((await fetch(`http://${page}/stats?key=wrong`)).status).toBe(401);
    const headers = { authorization: `Bearer ${READ_KEY}` };
    const named = `http://${page}/stats/${encodeURIComponent('of live/one')}`;
    let body: unknown;
    // Reports come once a second.
    do body = await fetch(named, { headers }).then((response) => response.json());
    while (!Object.hasOwn(Object(body), 'publisher'));
    expect(body).toMatchObject({
      publisher: { latency: LATENCY_MS, dropped_pkts: 0, peers: [{ jitter: expect.any(Number) }, {}] },
    });
  }, 60_000);
});

function grpc(target: string): srtla.IngestCallback {
  return { target: { $case: 'grpcTarget', value: target } };
}

async function statisticsAddress(process: TestProcess): Promise<string> {
  return String((await process.waitForJson(({ msg }) => msg === 'statistics for scene switchers'))['address']);
}

/** Names and contents of all files below a folder, byte for byte. */
async function contentsOf(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(files.map((file) => readFile(file, 'latin1')));
  return [...files, ...contents];
}

/** Takes traces and metrics by OTLP over HTTP. */
class Collector implements AsyncDisposable {
  readonly bodies: string[] = [];
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.bodies.push(Buffer.concat(chunks).toString('latin1'));
      response.end();
    });
  });

  static async start(): Promise<Collector> {
    const collector = new Collector();
    await new Promise<void>((resolve) => collector.#server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
