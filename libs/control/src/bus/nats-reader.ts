import { DeliverPolicy, jetstream } from '@nats-io/jetstream';
import type { ConsumerMessages, JsMsg } from '@nats-io/jetstream';
import { delay } from '../clock.ts';
import type { Clock } from '../clock.ts';
import { ServiceError } from '../errors.ts';
import type { NatsLink } from './nats-link.ts';

export interface OrderedRead {
  readonly stream: string;
  readonly filterSubject: string;
  /** First sequence wanted. */
  readonly from: number;
  readonly signal: AbortSignal;
  /** Called before reading goes on after a break or a gap; throws when `next` cannot be had any more. */
  check(next: number): Promise<void>;
}

const RETRY_MS = 250;
const PREFETCH = 500;

/**
 * Every message from a sequence on, once and in order, for as long as the signal lets it. The consumer is made anew from the
 * next sequence after each break: one less thing to trust across a restart of the server.
 */
export async function* readOrdered(link: NatsLink, clock: Clock, read: OrderedRead): AsyncGenerator<JsMsg> {
  let next = read.from;
  let first = true;
  while (!read.signal.aborted) {
    await link.whenConnected(read.signal);
    if (read.signal.aborted) return;
    try {
      if (!first) await read.check(next);
      first = false;
      for await (const message of consume(link, read, next)) {
        // A gap is a filter's or a purge's doing, or the messages in it grew too old.
        if (message.seq > next && read.filterSubject === '>') await read.check(next);
        next = message.seq + 1;
        yield message;
      }
    } catch (thrown) {
      if (thrown instanceof ServiceError && thrown.code !== 'UNAVAILABLE') throw thrown;
      await delay(clock, RETRY_MS, read.signal);
    }
  }
}

/** Ends when the connection goes away, the consumer is lost or the signal aborts. */
async function* consume(link: NatsLink, read: OrderedRead, next: number): AsyncGenerator<JsMsg> {
  let messages: ConsumerMessages | undefined;
  const stop = (): void => messages?.stop();
  const stopFollowing = link.onStateChange(stop);
  read.signal.addEventListener('abort', stop, { once: true });
  try {
    messages = await link.runJetStream(async () => {
      const consumer = await jetstream(link.connection).consumers.get(read.stream, {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: next,
        ...(read.filterSubject !== '>' && { filter_subjects: read.filterSubject }),
      });
      return consumer.consume({ max_messages: PREFETCH });
    });
    if (read.signal.aborted) return;
    yield* messages;
  } finally {
    stopFollowing();
    read.signal.removeEventListener('abort', stop);
    stop();
  }
}
