import type { StreamMessage } from '../bus/bus.ts';
import type { Timer } from '../clock.ts';
import { ServiceError, hasCode } from '../errors.ts';
import { EVENT_FINAL, EVENT_TIME } from './event-headers.ts';
import type { EventParts } from './events.ts';
import { ResumeTokens, tokenTooOld } from './resume-token.ts';
import type { EventItem, SnapshotItem, WatchItem, WatchOptions } from './sessions.ts';

const DEFAULT_HEARTBEAT_MS = 15_000;
/** A watcher this close to the end has caught up; from then on it may not fall behind by more than `maxWatchLag`. */
const CAUGHT_UP_PENDING = 100;
/** How far back a snapshot looks for sessions that have ended while their record was not yet removed. */
const GHOST_WINDOW_MS = 15_000;

export async function* watchEvents<Rec, Ev>(
  parts: EventParts<Rec, Ev>,
  options: WatchOptions<Rec, Ev>,
): AsyncGenerator<WatchItem<Rec, Ev>> {
  const { stream } = parts;
  const info = await stream.info();
  const tokens = new ResumeTokens(info.epoch);
  let position: number;
  if (options.resumeToken === undefined || options.resumeToken === '') {
    position = info.lastSequence;
    yield* snapshot(parts, options, position);
    yield { kind: 'snapshot-end', resumeToken: tokens.make(position) };
  } else {
    position = tokens.sequenceOf(options.resumeToken);
    if (position + 1 < info.firstSequence || position > info.lastSequence) throw tokenTooOld();
  }
  yield* follow(parts, options, tokens, position);
}

/**
 * Every session that is not over at this position of the event log. A record is stored before the session's first event and
 * removed after its last, so reading the records after the position was taken misses none; those that had ended by then but
 * still have a record are told by their final event.
 */
async function* snapshot<Rec, Ev>(
  parts: EventParts<Rec, Ev>,
  options: WatchOptions<Rec, Ev>,
  position: number,
): AsyncGenerator<SnapshotItem<Rec>> {
  const ended = await endedBefore(parts, position, options.signal);
  for await (const { sessionId, record } of parts.directory.walk()) {
    const item: SnapshotItem<Rec> = { kind: 'session', sessionId, record };
    if (!ended.has(sessionId) && isWanted(options, item)) yield item;
  }
}

async function endedBefore<Rec, Ev>(
  parts: EventParts<Rec, Ev>,
  position: number,
  signal: AbortSignal,
): Promise<Set<string>> {
  const ended = new Set<string>();
  if (position === 0) return ended;
  const from = { unixMs: parts.clock.unixMs() - GHOST_WINDOW_MS };
  for await (const message of parts.stream.read({ from, until: position, signal })) {
    if (message.headers[EVENT_FINAL] !== undefined) ended.add(sessionIdOf(message));
  }
  return ended;
}

async function* follow<Rec, Ev>(
  parts: EventParts<Rec, Ev>,
  options: WatchOptions<Rec, Ev>,
  tokens: ResumeTokens,
  from: number,
): AsyncGenerator<WatchItem<Rec, Ev>> {
  const { clock, codec, counters, maxWatchLag, stream } = parts;
  const heartbeatMs = options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS;
  const done = new AbortController();
  const signal = AbortSignal.any([options.signal, done.signal]);
  const messages = stream.read({ from: { sequence: from + 1 }, signal })[Symbol.asyncIterator]();
  let position = from;
  let caughtUp = false;
  // Only what the watcher is given moves these: events that its filter drops are silence to it.
  let toldPosition = from;
  let nextHeartbeatAtMs = clock.nowMs() + heartbeatMs;
  const told = (): void => {
    toldPosition = position;
    nextHeartbeatAtMs = clock.nowMs() + heartbeatMs;
  };
  let next = messages.next();
  try {
    while (!options.signal.aborted) {
      const result = await orTimer(next, (wake) => clock.setTimer(wake, nextHeartbeatAtMs - clock.nowMs()));
      if (result === undefined) {
        caughtUp ||= position === toldPosition;
        yield { kind: 'heartbeat', resumeToken: tokens.make(position) };
        told();
        continue;
      }
      if (result.done === true) return;
      const message = result.value;
      position = message.sequence;
      if (caughtUp && message.pending > maxWatchLag) {
        counters.watchersTooSlow++;
        throw ServiceError.exhausted('WATCH_TOO_SLOW', `${message.pending} events behind: watch again`, 1_000);
      }
      caughtUp ||= message.pending < CAUGHT_UP_PENDING;
      const item = toItem(message, tokens, codec.decode(message.payload));
      const wanted = isWanted(options, item);
      if (wanted || clock.nowMs() >= nextHeartbeatAtMs) {
        yield wanted ? item : { kind: 'heartbeat', resumeToken: item.resumeToken };
        told();
      }
      next = messages.next();
    }
  } catch (thrown) {
    throw hasCode(thrown, 'OUT_OF_RANGE') ? tokenTooOld() : thrown;
  } finally {
    done.abort();
    // It may have failed while nobody waited for it.
    next.catch(() => undefined);
  }
}

function toItem<Ev>(message: StreamMessage, tokens: ResumeTokens, event: Ev): EventItem<Ev> {
  const unixMs = Number(message.headers[EVENT_TIME]);
  return {
    kind: 'event',
    sessionId: sessionIdOf(message),
    resumeToken: tokens.make(message.sequence),
    event,
    unixMs: Number.isFinite(unixMs) ? unixMs : message.unixMs,
    final: message.headers[EVENT_FINAL] !== undefined,
  };
}

function isWanted<Rec, Ev>(options: WatchOptions<Rec, Ev>, item: SnapshotItem<Rec> | EventItem<Ev>): boolean {
  const { sessionIds = [], filter } = options;
  return (sessionIds.length === 0 || sessionIds.includes(item.sessionId)) && (filter === undefined || filter(item));
}

/** The last token of the subject. */
function sessionIdOf({ subject }: StreamMessage): string {
  return subject.slice(subject.lastIndexOf('.') + 1);
}

/** `undefined` when the timer is first. */
async function orTimer<T>(result: Promise<T>, setTimer: (wake: () => void) => Timer): Promise<T | undefined> {
  let timer: Timer | undefined;
  const timeout = new Promise<undefined>((resolve) => (timer = setTimer(() => resolve(undefined))));
  try {
    return await Promise.race([result, timeout]);
  } finally {
    timer?.cancel();
  }
}
