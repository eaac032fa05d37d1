import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tempFolder } from '@mediaplane/testkit';
import { lostPercent } from '../measure/traffic-run.ts';
import type { Result } from '../report/result.ts';
import { makeResult } from '../report/result.ts';
import { readCapture } from './capture.ts';
import type { CapturedData } from './capture.ts';
import { HIT_LINK } from './events.ts';
import type { FailoverEvent, Scene } from './events.ts';
import type { FailoverEngine } from './failover-engine.ts';
import { backAfterMs, lastNewDataMs } from './figures.ts';
import type { EventTimes } from './figures.ts';
import { Namespaces, RECEIVER_ADDRESS, linkAddress, nearEnd } from './namespaces.ts';
import { NUMBERED_BYTES } from './numbered-plan.ts';
import type { Capture } from './stage.ts';
import { PORTS, Stage } from './stage.ts';

export interface FailoverOptions {
  readonly event: FailoverEvent;
  readonly packetsPerSecond: number;
  readonly seconds: number;
  /** Of the SRT session: what has not come by then is missing. */
  readonly latencyMs: number;
}

const LINKS = 2;
const SRT_DATA_BYTES = 16 + NUMBERED_BYTES;
const ANSWER_WITHIN_MS = 30_000;
const SINK_IDLE_MS = 5000;

/** One stream over two links; after a third of it something happens to one of them, or to the receiver. */
export async function runFailover(engine: FailoverEngine, options: FailoverOptions): Promise<Result> {
  const { event, packetsPerSecond, seconds, latencyMs } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await tempFolder('failover')).path;
  const network = stack.use(await Namespaces.create(LINKS));
  const stage = new Stage(network, stack, folder);
  const sink = await stage.sink();
  await stage.srtServer(latencyMs);
  const scene = await startEnds(engine, network, stage, folder);
  const source = await stage.source(packetsPerSecond);
  await stage.encoder(latencyMs);
  await sink.ask(null, ANSWER_WITHIN_MS);

  const onLinks = await stage.capture('sender', 'out', PORTS.receiver);
  const toServer = await stage.capture('receiver', 'in', PORTS.server);
  const [packets, streamMs] = [packetsPerSecond * seconds, seconds * 1000];
  const [, counted, times] = await Promise.all([
    source.ask({ type: 'number', packets }, streamMs + ANSWER_WITHIN_MS),
    sink.ask({ type: 'count', packets, idleMs: SINK_IDLE_MS }, streamMs + ANSWER_WITHIN_MS),
    sleep(streamMs / 3).then(() => happen(event, scene)),
  ]);
  if (counted.type !== 'counted') throw new Error(`the sink answered ${counted.type}`);
  const { received, duplicates } = counted;
  const sent = await dataOf(onLinks);
  const hit = await interfaceNumber(network);
  if (!sent.some((data) => data.interface === hit && data.unixMs < times.begunUnixMs)) {
    throw new Error('the link that something was to happen to had carried nothing');
  }
  const served = await dataOf(toServer);
  const measure = {
    lastNewDataMs: () => lastNewDataMs(sent, hit, times),
    backAfterMs: () => backAfterMs(served, times),
  };
  return makeResult(
    { scenario: 'srtla-failover', engine: engine.name, channels: 1, seconds },
    {
      sent: packets,
      received,
      lostPercent: lostPercent({ sent: packets, received }),
      details: {
        missing: packets - received,
        duplicates,
        retransmissions: sent.filter(({ isRetransmission }) => isRetransmission).length,
        ...(event.figure === undefined ? {} : { [event.figure]: measure[event.figure]() }),
      },
    },
  );
}

/** Starts receiver and sender. */
async function startEnds(engine: FailoverEngine, network: Namespaces, stage: Stage, folder: string): Promise<Scene> {
  const place = { address: RECEIVER_ADDRESS, port: PORTS.receiver, serverPort: PORTS.server, folder };
  const program = await engine.receiver(place);
  let receiver = await stage.server('receiver', 'receiver', program);
  const linksFile = join(folder, 'links');
  await writeFile(linksFile, Array.from({ length: LINKS }, (_, link) => `${linkAddress(link)}\n`).join(''));
  const aim = { receiverAddress: RECEIVER_ADDRESS, receiverPort: PORTS.receiver, linksFile };
  const sender = await stage.server('sender', 'sender', engine.sender({ listenPort: PORTS.encoder, ...aim }));
  const ends = { sender: () => sender, receiver: () => receiver };
  return {
    network,
    pause: (end) => ends[end]().signal('SIGSTOP'),
    resume: (end) => ends[end]().signal('SIGCONT'),
    killReceiver: () => receiver.kill(),
    async startReceiver() {
      receiver = await stage.server('receiver', 'receiver', program);
    },
  };
}

async function happen(event: FailoverEvent, scene: Scene): Promise<EventTimes> {
  const begunUnixMs = Date.now();
  await event.begin(scene);
  const happenedUnixMs = Date.now();
  if (event.end === undefined) return { begunUnixMs, happenedUnixMs, endedUnixMs: Infinity };
  await sleep(event.end.afterMs);
  const endedUnixMs = Date.now();
  await event.end.run(scene);
  return { begunUnixMs, happenedUnixMs, endedUnixMs };
}

async function dataOf(capture: Capture): Promise<CapturedData[]> {
  await capture.stop();
  return readCapture(capture.file, SRT_DATA_BYTES);
}

async function interfaceNumber(network: Namespaces): Promise<number> {
  const [{ ifindex }] = JSON.parse(await network.ip('sender', `-j link show ${nearEnd(HIT_LINK)}`));
  return ifindex;
}
