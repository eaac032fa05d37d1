import type { SharedCounters, ThreadCounter } from '@mediaplane/media';
import { defineMetrics } from './metric-definition.ts';
import type { Metrics, Observation } from './metrics.ts';

/** What the media threads of a service count of all their sockets, whatever session these are of. */
export const THREAD_METRICS = defineMetrics({
  threadStalled: {
    name: 'media.thread.stalled',
    unit: '{thread}',
    description: 'Media threads that complete no pass.',
    kind: 'sum',
    attributes: [],
  },
  threadSessions: {
    name: 'media.thread.sessions',
    unit: '{session}',
    description: 'What a media thread serves that has a socket or several of its own: channels, listeners, links.',
    kind: 'sum',
    attributes: ['media.thread'],
  },
  threadSessionFailures: {
    name: 'media.thread.session.failures',
    unit: '{session}',
    description: 'Of these, those that ended by an error of the program.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
  threadDatagrams: {
    name: 'media.thread.datagrams',
    unit: '{packet}',
    description: 'Datagrams of all sockets.',
    kind: 'counter',
    attributes: ['network.io.direction', 'media.thread'],
  },
  threadBytes: {
    name: 'media.thread.io',
    unit: 'By',
    description: 'Their UDP payload.',
    kind: 'counter',
    attributes: ['network.io.direction', 'media.thread'],
  },
  threadBacklogs: {
    name: 'media.thread.backlogs',
    unit: '{read}',
    description:
      'Reads of a socket that left datagrams behind: where they are many, the thread has more to do than it can.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
  sendFailures: {
    name: 'media.socket.send.failures',
    unit: '{packet}',
    description:
      'Datagrams that the system did not send (no room in its buffers, larger than the path takes, or anything else), and refusals of those who were sent one: nobody at the port.',
    kind: 'counter',
    attributes: ['media.send.fault', 'media.thread'],
  },
  receiveFailures: {
    name: 'media.socket.receive.failures',
    unit: '{read}',
    description: 'Reads that the system refused.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
  segmentationRefused: {
    name: 'media.socket.segmentation.refused',
    unit: '{socket}',
    description: 'Sockets that send each datagram by itself since the system refused UDP_SEGMENT: right, and dearer.',
    kind: 'counter',
    attributes: ['media.thread'],
  },
});

/** Of MediaThreads. */
export interface ThreadSource {
  readonly threads: readonly {
    readonly number: number;
    readonly sessions: number;
    readonly counters: Pick<SharedCounters<ThreadCounter>, 'get'>;
  }[];
  stalledThreads(): readonly unknown[];
}

type Point = readonly [counter: ThreadCounter, attributes: Readonly<Record<string, string>>];

/** Has `THREAD_METRICS` read from the threads' counters whenever metrics are collected. */
export function registerThreadMetrics(metrics: Pick<Metrics, 'observe'>, media: ThreadSource): void {
  const m = THREAD_METRICS;
  const received = { 'network.io.direction': 'receive' };
  const sent = { 'network.io.direction': 'transmit' };
  const perThread =
    (...points: readonly Point[]) =>
    () =>
      readThreads(media, points);
  metrics.observe(m.threadStalled, () => media.stalledThreads().length);
  metrics.observe(m.threadSessions, () =>
    media.threads.map(({ number, sessions }): Observation => [sessions, { 'media.thread': number }]),
  );
  metrics.observe(m.threadSessionFailures, perThread(['sessionFailures', {}]));
  metrics.observe(m.threadDatagrams, perThread(['datagramsReceived', received], ['datagramsSent', sent]));
  metrics.observe(m.threadBytes, perThread(['bytesReceived', received], ['bytesSent', sent]));
  metrics.observe(m.threadBacklogs, perThread(['receiveBacklogs', {}]));
  metrics.observe(
    m.sendFailures,
    perThread(
      ['sendWouldBlock', { 'media.send.fault': 'no_room' }],
      ['sendRefused', { 'media.send.fault': 'refused' }],
      ['sendTooBig', { 'media.send.fault': 'too_big' }],
      ['sendFailed', { 'media.send.fault': 'other' }],
    ),
  );
  metrics.observe(m.receiveFailures, perThread(['receiveFailed', {}]));
  metrics.observe(m.segmentationRefused, perThread(['gsoRefused', {}]));
}

/** What no session ever sees: cut off by its length, or more than node:dgram could hand over. */
export function droppedByThreads(media: ThreadSource): Iterable<Observation> {
  return readThreads(media, [
    ['datagramsTruncated', { 'media.drop.cause': 'oversized' }],
    ['datagramsOverflowed', { 'media.drop.cause': 'overflow' }],
  ]);
}

function* readThreads({ threads }: ThreadSource, points: readonly Point[]): Generator<Observation> {
  for (const { number, counters } of threads) {
    for (const [counter, attributes] of points)
      yield [counters.get(counter), { ...attributes, 'media.thread': number }];
  }
}
