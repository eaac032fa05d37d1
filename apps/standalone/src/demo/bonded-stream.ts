import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { srtla } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { Pacer, SrtCaller, SrtListener, UdpRelay, srtNowUs } from '@mediaplane/testkit';
import { enumWord } from '../call/words.ts';
import type { Progress } from '../progress.ts';
import type { BondedLinkFacts, BondingFacts } from '../report/facts.ts';
import { count } from '../report/numbers.ts';
import { quantile } from './measured-phone.ts';
import { mediaCpuUs } from './media-cpu.ts';
import { ModemTraffic } from './modem-traffic.ts';
import { TransportStreamJudge, TransportStreamSource } from './transport-stream.ts';
import { UplinkWatch } from './uplink-watch.ts';

/** Source addresses of the links: on Linux all of 127.0.0.0/8 is this machine. */
const LINK_ADDRESSES = ['127.0.0.2', '127.0.0.3'];
const LINK_NAMES = LINK_ADDRESSES.map((_, i) => `modem-${i + 1}`);
const PACKETS_PER_SECOND = 600;
/** Until the first link dies, and after that. */
const BEFORE_MS = 3000;
const AFTER_MS = 3500;
/** What is compiled and fills its caches is not counted. */
const WARM_UP_MS = 1000;
/** Enough that a machine that is busy for a moment misses nothing. */
const SRT_LATENCY_MS = 500;
/** Links overtake each other: a gap is a loss when so many packets have come after it. */
const REORDER_PACKETS = 40;
const COUNTED_WITHIN_MS = 2500;
const LOOK_MS = 50;

export interface BondedStreamOptions {
  readonly client: ServiceClient<srtla.SrtlaGatewayServiceDefinition>;
  readonly instanceId: string;
  /** Of the listener and the uplink. */
  readonly name: string;
  readonly progress: Progress;
}

/** False where the system has only one loopback address, so that there cannot be two links. */
export async function canBond(): Promise<boolean> {
  for (const address of LINK_ADDRESSES) {
    const socket = createSocket('udp4');
    try {
      socket.bind(0, address);
      await once(socket, 'listening');
    } catch {
      return false;
    } finally {
      socket.close();
    }
  }
  return true;
}

/**
 * A real stream over bonded links: an SRT encoder, an uplink with two links, a modem for each, a listener and an SRT server. In the middle
 * the first modem dies. Rejects when the service refuses something; everything else that goes wrong shows in the facts.
 */
export async function streamBonded(options: BondedStreamOptions): Promise<BondingFacts> {
  const { client, instanceId, name, progress } = options;
  const startedMs = performance.now();
  await using cleanUp = new AsyncDisposableStack();
  const judge = new TransportStreamJudge();
  const waysMs: number[] = [];
  const server = cleanUp.use(
    await SrtListener.listen({
      latencyMs: SRT_LATENCY_MS,
      reorderPackets: REORDER_PACKETS,
      onPacket: ({ payload, arrivalUs }) => {
        const sentUs = judge.take(payload);
        if (sentUs !== undefined) waysMs.push((arrivalUs - sentUs) / 1000);
      },
    }),
  );
  const ingest = { policy: { $case: 'fixed' as const, value: { host: '127.0.0.1', port: server.port } } };
  const { listener } = await client.createListener({ settings: { name, ingest }, instanceId });
  cleanUp.defer(async () => void (await client.deleteListener({ listenerId: listener?.listenerId ?? '' })));
  if (listener?.address === undefined) throw new Error('the listener came without an address');
  const { address: targetAddress, port: targetPort } = listener.address;
  const modems = cleanUp.use(await UdpRelay.start({ targetAddress, targetPort }));
  const traffic = new ModemTraffic(modems);

  const links = LINK_ADDRESSES.map((address, i) => ({ name: LINK_NAMES[i], address }));
  const settings = { name, receiverHost: '127.0.0.1', receiverPort: modems.port, links };
  const { uplink } = await client.createUplink({ settings, instanceId });
  const uplinkId = uplink?.uplinkId ?? '';
  cleanUp.defer(async () => void (await client.deleteUplink({ uplinkId })));
  if (uplink?.listen === undefined) throw new Error('the uplink came without an address');
  const watch = cleanUp.use(new UplinkWatch(client, uplinkId));
  await watch.linksUp(links.length);
  const { address, port } = uplink.listen;
  const encoder = cleanUp.use(await SrtCaller.connect({ address, port, latencyMs: SRT_LATENCY_MS }));
  const session = await server.session();
  progress.step(`an SRT stream flows over ${links.length} links, ${count(PACKETS_PER_SECOND)} packets a second`);

  const source = new TransportStreamSource();
  const pacer = new Pacer(1e6 / PACKETS_PER_SECOND, srtNowUs, () => {
    if (encoder.end === undefined) encoder.send(source.next(srtNowUs()));
  });
  cleanUp.defer(() => pacer.stop());
  await pause(WARM_UP_MS);
  const cpuFromUs = mediaCpuUs();
  const sentFrom = encoder.statistics.sent;
  await pause(BEFORE_MS - WARM_UP_MS);
  const cpuMicrosPerPacket = (mediaCpuUs() - cpuFromUs) / Math.max(1, encoder.statistics.sent - sentFrom);
  const before = await readUplink(client, uplinkId);
  const diedMs = traffic.kill(LINK_ADDRESSES[0]);
  progress.step(`${LINK_NAMES[0]} dies without a word`);
  await pause(AFTER_MS);
  pacer.stop();
  await encoder.drained().catch(() => undefined);
  await server.until(() => session.waiting === 0).catch(() => undefined);
  const { sent, retransmitted } = encoder.statistics;
  const after = await readUplink(client, uplinkId, sent);
  progress.step('the stream is over');

  const failoverMs = watch.failoverMs(LINK_NAMES[0]);
  return {
    durationMs: performance.now() - startedMs,
    srtLatencyMs: session.latencyMs,
    packetsPerSecond: PACKETS_PER_SECOND,
    sent,
    played: session.statistics.delivered,
    tooLate: session.statistics.belated,
    continuityErrors: judge.errors,
    latency: { count: waysMs.length, p50Ms: quantile(waysMs, 0.5), p99Ms: quantile(waysMs, 0.99) },
    links: links.map((link) => linkFacts(link, traffic, before, after)),
    givenToDead: traffic.givenToDead,
    lastToDeadMs: traffic.lastToDeadMs === undefined ? undefined : traffic.lastToDeadMs - diedMs,
    failoverMs: failoverMs === undefined ? undefined : failoverMs - diedMs,
    resentByFailover: after.statistics?.resentPackets ?? 0,
    resentBySrt: retransmitted,
    duplicates: session.statistics.duplicates,
    cpuMicrosPerPacket,
  };
}

/** As it is when it has counted `packets` of the encoder: it counts once a second. */
async function readUplink(
  client: ServiceClient<srtla.SrtlaGatewayServiceDefinition>,
  uplinkId: string,
  packets = 0,
): Promise<srtla.Uplink> {
  for (const untilMs = performance.now() + COUNTED_WITHIN_MS; ;) {
    const { uplink } = await client.getUplink({ uplinkId, view: srtla.UplinkView.STATS });
    if (uplink === undefined) throw new Error('the uplink is not there');
    if ((uplink.statistics?.packets ?? 0) >= packets || performance.now() >= untilMs) return uplink;
    await pause(LOOK_MS);
  }
}

function linkFacts(
  { name, address }: { name: string; address: string },
  traffic: ModemTraffic,
  before: srtla.Uplink,
  after: srtla.Uplink,
): BondedLinkFacts {
  const statistics = before.statistics?.links.find(({ linkName }) => linkName === name);
  const state = after.links.find(({ settings }) => settings?.name === name)?.state ?? srtla.LinkState.UNSPECIFIED;
  return {
    name,
    address,
    packetsBefore: traffic.before(address),
    packetsAfter: traffic.after(address),
    rttMs: statistics?.rttMs,
    state: enumWord(srtla.linkStateToJSON(state), 'LINK_STATE_'),
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
