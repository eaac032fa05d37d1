import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runFolder } from '../at-exit.ts';
import { lostPercent } from '../measure/traffic-run.ts';
import type { Result } from '../report/result.ts';
import { makeResult } from '../report/result.ts';
import type { CapturedData } from './capture.ts';
import { HIT_LINK } from './events.ts';
import type { FailoverEvent, Scene } from './events.ts';
import type { FailoverEngine } from './failover-engine.ts';
import { backAfterMs, lastNewDataMs } from './figures.ts';
import type { EventTimes } from './figures.ts';
import { Namespaces, RECEIVER_ADDRESS, linkAddress, nearEnd } from './namespaces.ts';
import { PORTS, Stage } from './stage.ts';
import type { StreamPlan } from './stage.ts';

export interface FailoverOptions extends StreamPlan {
  readonly event: FailoverEvent;
  readonly seconds: number;
}

export const LINKS = 2;
const ANSWER_WITHIN_MS = 30_000;
/** Longer than the latency nothing that SRT still delivers can take; libsrt and the machine get a little more. */
const SINK_SLACK_MS = 3000;

/** One stream over two links; after a third of it something happens to one of them, or to an end. */
export async function runFailover(engine: FailoverEngine, options: FailoverOptions): Promise<Result> {
  const { event, packetsPerSecond, seconds, latencyMs } = options;
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await runFolder()).path;
  const network = stack.use(await Namespaces.create(LINKS));
  const stage = new Stage(network, stack, folder, options);
  const sink = await stage.sink();
  await stage.srtServer();
  const scene = await startEnds(engine, network, stage, { folder, packetsPerSecond });
  const source = await stage.source();
  await stage.encoder();
  await sink.ask(null, ANSWER_WITHIN_MS);

  const onLinks = await stage.capture('sender', 'out', PORTS.receiver);
  const toServer = event.figure === 'backAfterMs' ? await stage.capture('receiver', 'in', PORTS.server) : undefined;
  const [packets, streamMs] = [packetsPerSecond * seconds, seconds * 1000];
  const [, times] = await Promise.all([
    source.ask({ type: 'number', packets }, streamMs + ANSWER_WITHIN_MS),
    happenAfter(streamMs / 3, event, scene),
  ]);
  const idleMs = latencyMs + SINK_SLACK_MS;
  const counted = await sink.ask({ type: 'count', packets, idleMs }, idleMs + streamMs + ANSWER_WITHIN_MS);
  if (counted.type !== 'counted') throw new Error(`the sink answered ${counted.type}`);
  const { received } = counted;
  const sent = await onLinks.data();
  const served = (await toServer?.data()) ?? [];
  const hit = await interfaceNumber(network);
  if (event.hitsLink && !sent.some((data) => data.interface === hit && data.unixMs < times.begunUnixMs)) {
    throw new Error('the link that something was to happen to had carried nothing');
  }
  return makeResult(
    { scenario: `srtla-failover ${event.name}`, engine: engine.name, channels: 1, seconds },
    {
      sent: packets,
      received,
      lostPercent: lostPercent({ sent: packets, received }),
      details: {
        packetsPerSecond,
        latencyMs,
        missing: packets - received,
        retransmissions: sent.filter(({ isRetransmission }) => isRetransmission).length,
        ...figureOf(event, { sent, served, hit, times }),
      },
    },
  );
}

/** Starts receiver and sender. */
async function startEnds(
  engine: FailoverEngine,
  network: Namespaces,
  stage: Stage,
  { folder, packetsPerSecond }: { readonly folder: string; readonly packetsPerSecond: number },
): Promise<Scene> {
  const place = { address: RECEIVER_ADDRESS, port: PORTS.receiver, serverPort: PORTS.server, folder };
  const program = await engine.receiver(place);
  let receiver = await stage.startUntilReady('receiver', 'receiver', program);
  const linksFile = join(folder, 'links');
  await writeFile(linksFile, Array.from({ length: LINKS }, (_, link) => `${linkAddress(link)}\n`).join(''));
  const aim = { receiverAddress: RECEIVER_ADDRESS, receiverPort: PORTS.receiver };
  const senderProgram = engine.sender({ listenPort: PORTS.encoder, ...aim, linksFile, packetsPerSecond });
  const sender = await stage.startUntilReady('sender', 'sender', senderProgram);
  const ends = { sender: () => sender, receiver: () => receiver };
  return {
    network,
    pause: (end) => ends[end]().signal('SIGSTOP'),
    resume: (end) => ends[end]().signal('SIGCONT'),
    killReceiver: () => stage.kill(receiver),
    async startReceiver() {
      receiver = await stage.startUntilReady('receiver', 'receiver', program);
    },
  };
}

async function happenAfter(waitMs: number, event: FailoverEvent, scene: Scene): Promise<EventTimes> {
  const act = event.prepare(scene);
  await sleep(waitMs);
  const begunUnixMs = Date.now();
  await act();
  const happenedUnixMs = Date.now();
  if (event.end === undefined) return { begunUnixMs, happenedUnixMs, endedUnixMs: Infinity };
  await sleep(event.end.afterMs);
  const endedUnixMs = Date.now();
  await event.end.act(scene);
  return { begunUnixMs, happenedUnixMs, endedUnixMs };
}

interface Seen {
  readonly sent: readonly CapturedData[];
  readonly served: readonly CapturedData[];
  /** Number of the interface that something happened to. */
  readonly hit: number;
  readonly times: EventTimes;
}

function figureOf({ figure }: FailoverEvent, { sent, served, hit, times }: Seen): Readonly<Record<string, number>> {
  if (figure === undefined) return {};
  return { [figure]: figure === 'lastNewDataMs' ? lastNewDataMs(sent, hit, times) : backAfterMs(served, times) };
}

async function interfaceNumber(network: Namespaces): Promise<number> {
  const [{ ifindex }]: [{ ifindex: number }] = JSON.parse(
    await network.ip('sender', `-j link show ${nearEnd(HIT_LINK)}`),
  );
  return ifindex;
}
