import type { MediaThreads } from '@mediaplane/media';
import type { PortPool } from '@mediaplane/net';
import type { CallRecord } from '@mediaplane/proto';
import { defineMetrics, droppedByThreads, registerThreadMetrics } from '@mediaplane/service';
import type { Metrics, Observation } from '@mediaplane/service';
import type { Recordings } from './channels/recordings.ts';
import type { Prompts } from './files/prompts.ts';
import type { ChannelContract } from './media/contract.ts';

/** What rtp-channel reports beside what every service does. */
export const RTP_CHANNEL_METRICS = defineMetrics({
  sessionCreated: {
    name: 'media.session.created',
    unit: '{session}',
    description: 'Channels opened.',
    kind: 'counter',
    attributes: [],
  },
  sessionDuration: {
    name: 'media.session.duration',
    unit: 's',
    description: 'Length of channels, when they end.',
    kind: 'histogram',
    attributes: ['media.close.reason'],
    buckets: [1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200],
  },
  sessionOneWay: {
    name: 'media.session.one_way',
    unit: '{session}',
    description: 'Channels that ended having sent and not received, or received and not sent.',
    kind: 'counter',
    attributes: [],
  },
  sessionZeroPacket: {
    name: 'media.session.zero_packet',
    unit: '{session}',
    description: 'Channels that ended without a packet in either direction.',
    kind: 'counter',
    attributes: [],
  },
  rtpPackets: {
    name: 'media.rtp.packets',
    unit: '{packet}',
    description: 'RTP packets.',
    kind: 'counter',
    attributes: ['network.io.direction', 'media.thread'],
  },
  rtpBytes: {
    name: 'media.rtp.io',
    unit: 'By',
    description: 'RTP payload.',
    kind: 'counter',
    attributes: ['network.io.direction', 'media.thread'],
  },
  rtcpPackets: {
    name: 'media.rtcp.packets',
    unit: '{packet}',
    description: 'RTCP compound packets.',
    kind: 'counter',
    attributes: ['network.io.direction', 'media.thread'],
  },
  rtpDropped: {
    name: 'media.rtp.dropped',
    unit: '{packet}',
    description: 'Packets that arrived and were not used.',
    kind: 'counter',
    attributes: ['media.drop.cause', 'media.thread'],
  },
  rtpTranscoded: {
    name: 'media.rtp.transcoded',
    unit: '{packet}',
    description: 'Packets that were decoded and encoded anew.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
  framesGenerated: {
    name: 'media.frames.generated',
    unit: '{packet}',
    description: 'Packets of playback that were made.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
  rtpImpaired: {
    name: 'media.rtp.impaired',
    unit: '{packet}',
    description: 'Packets lost, late, duplicated or reordered, of channels that have ended.',
    kind: 'counter',
    attributes: ['media.impairment'],
  },
  rtpJitter: {
    name: 'media.rtp.jitter',
    unit: 's',
    description: 'Interarrival jitter of channels, when they end.',
    kind: 'histogram',
    attributes: [],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2],
  },
  rtpMos: {
    name: 'media.rtp.mos',
    unit: '{score}',
    description: 'Mean opinion score estimate of what channels received, when they end.',
    kind: 'histogram',
    attributes: [],
    buckets: [1.5, 2, 2.5, 3, 3.5, 3.8, 4, 4.2, 4.4],
  },
  socketDrops: {
    name: 'media.socket.drops',
    unit: '{packet}',
    description: 'Datagrams that the kernel dropped because a receive buffer was full, of channels that have ended.',
    kind: 'counter',
    attributes: [],
  },
  portUsed: {
    name: 'media.port.used',
    unit: '{port}',
    description: 'Pairs of RTP and RTCP ports in use.',
    kind: 'sum',
    attributes: [],
  },
  portLimit: {
    name: 'media.port.limit',
    unit: '{port}',
    description: 'Pairs of RTP and RTCP ports in the range.',
    kind: 'sum',
    attributes: [],
  },
  recordingFaults: {
    name: 'media.recording.faults',
    unit: '{recording}',
    description: 'Recordings that ended because the disk failed or was too slow.',
    kind: 'counter',
    attributes: [],
  },
  promptCacheSize: {
    name: 'media.prompt.cache.size',
    unit: 'By',
    description: 'Decoded prompts that are kept.',
    kind: 'sum',
    attributes: [],
  },
});

export interface MetricSources {
  readonly media: MediaThreads<ChannelContract>;
  readonly pool: PortPool;
  readonly prompts: Prompts;
  readonly recordings: Recordings;
  channelsOpened(): number;
}

/** Registers the metrics; returns what is to be called with each channel that ends. */
export function registerMetrics(metrics: Metrics, sources: MetricSources) {
  const m = RTP_CHANNEL_METRICS;
  const { media, pool, prompts, recordings } = sources;
  const perThread = (...points: readonly (readonly [counter: string, attributes: Record<string, string>])[]) =>
    function* (): Generator<Observation> {
      for (const { number, programCounters } of media.threads) {
        for (const [counter, attributes] of points) {
          yield [programCounters.get(counter), { ...attributes, 'media.thread': number }];
        }
      }
    };
  const received = { 'network.io.direction': 'receive' };
  const sent = { 'network.io.direction': 'transmit' };
  metrics.observe(m.sessionCreated, () => sources.channelsOpened());
  metrics.observe(m.rtpPackets, perThread(['rtpReceived', received], ['rtpSent', sent]));
  metrics.observe(m.rtpBytes, perThread(['rtpReceivedBytes', received], ['rtpSentBytes', sent]));
  metrics.observe(m.rtcpPackets, perThread(['rtcpReceived', received], ['rtcpSent', sent]));
  const dropped = perThread(
    ['droppedSource', { 'media.drop.cause': 'source' }],
    ['droppedMalformed', { 'media.drop.cause': 'malformed' }],
    ['droppedPayloadType', { 'media.drop.cause': 'payload_type' }],
    ['droppedDirection', { 'media.drop.cause': 'direction' }],
  );
  metrics.observe(m.rtpDropped, function* () {
    yield* dropped();
    yield* droppedByThreads(media);
  });
  metrics.observe(m.rtpTranscoded, perThread(['packetsTranscoded', {}]));
  metrics.observe(m.framesGenerated, perThread(['framesGenerated', {}]));
  metrics.observe(m.portUsed, () => pool.used);
  metrics.observe(m.portLimit, () => pool.size);
  registerThreadMetrics(metrics, media);
  metrics.observe(m.recordingFaults, () => recordings.faults);
  metrics.observe(m.promptCacheSize, () => prompts.cachedBytes);
  const duration = metrics.histogram(m.sessionDuration);
  const oneWay = metrics.counter(m.sessionOneWay);
  const zeroPacket = metrics.counter(m.sessionZeroPacket);
  const impaired = metrics.counter(m.rtpImpaired);
  const jitter = metrics.histogram(m.rtpJitter);
  const mos = metrics.histogram(m.rtpMos);
  const socketDrops = metrics.counter(m.socketDrops);

  return {
    onClosed({ durationMs, statistics }: CallRecord, reason: string): void {
      duration.record(durationMs / 1000, { 'media.close.reason': reason });
      const { received: got, sent: gave } = statistics ?? {};
      if (got === undefined || gave === undefined) return;
      if (got.packets === 0 && gave.packets === 0) zeroPacket.add(1);
      else if (got.packets === 0 || gave.packets === 0) oneWay.add(1);
      if (got.packets === 0) return;
      impaired.add(got.lostPackets, { 'media.impairment': 'lost' });
      impaired.add(got.latePackets, { 'media.impairment': 'late' });
      impaired.add(got.duplicatePackets, { 'media.impairment': 'duplicate' });
      impaired.add(got.reorderedPackets, { 'media.impairment': 'reordered' });
      jitter.record(got.jitterMs / 1000);
      if (got.mos !== undefined) mos.record(got.mos);
      socketDrops.add(Math.max(got.dropped?.kernel ?? 0, 0));
    },
  };
}
