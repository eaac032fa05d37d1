import { expect, test } from '@jest/globals';
import { SharedCounters, THREAD_COUNTERS } from '@mediaplane/media';
import type { ThreadCounter } from '@mediaplane/media';
import type { Metrics, Observation } from './metrics.ts';
import { droppedByThreads, registerThreadMetrics, THREAD_METRICS } from './thread-metrics.ts';

/** Each counter of thread 0 is its place in THREAD_COUNTERS, of thread 1 a hundred more. */
function media() {
  const threads = [0, 1].map((number) => {
    const counters = new SharedCounters<ThreadCounter>(THREAD_COUNTERS);
    counters.values.forEach((_, i) => (counters.values[i] = number * 100 + i));
    return { number, sessions: 3 + number, counters };
  });
  return { threads, stalledThreads: () => [threads[1]] };
}

function readAll(): Map<string, number | Observation[]> {
  const read = new Map<string, number | Observation[]>();
  const observe: Metrics['observe'] = ({ name }, value) => {
    const now = value();
    read.set(name, typeof now === 'number' ? now : [...now]);
  };
  registerThreadMetrics({ observe }, media());
  return read;
}

test('what media threads count of their sockets is told for each thread', () => {
  const read = readAll();
  expect([...read.keys()].sort()).toEqual(
    Object.values(THREAD_METRICS)
      .map(({ name }) => name)
      .sort(),
  );
  const at = (counter: ThreadCounter): number => THREAD_COUNTERS.indexOf(counter);
  expect(read.get('media.socket.segmentation.refused')).toEqual([
    [at('gsoRefused'), { 'media.thread': 0 }],
    [100 + at('gsoRefused'), { 'media.thread': 1 }],
  ]);
  expect(read.get('media.socket.send.failures')).toContainEqual([
    at('sendTooBig'),
    { 'media.send.fault': 'too_big', 'media.thread': 0 },
  ]);
  expect(read.get('media.thread.datagrams')).toContainEqual([
    100 + at('datagramsSent'),
    { 'network.io.direction': 'transmit', 'media.thread': 1 },
  ]);
  expect(read.get('media.thread.sessions')).toContainEqual([4, { 'media.thread': 1 }]);
  expect(read.get('media.thread.stalled')).toBe(1);
  expect([...droppedByThreads(media())]).toContainEqual([
    at('datagramsTruncated'),
    { 'media.drop.cause': 'oversized', 'media.thread': 0 },
  ]);
});

test('attributes are those of the definition, and none is an id', () => {
  const read = readAll();
  for (const { name, attributes } of Object.values(THREAD_METRICS)) {
    const points = read.get(name);
    if (typeof points !== 'number') {
      for (const [, given] of points ?? []) expect(Object.keys(given).sort()).toEqual([...attributes].sort());
    }
    for (const attribute of attributes) expect(attribute).not.toMatch(/(^|[._])id$/);
  }
});
