import type { ChannelEvent, RtpChannelServiceDefinition } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { WaitList } from '@mediaplane/testkit';
import type { WaitOptions } from '@mediaplane/testkit';
import { snakeCase } from '../call/words.ts';
import type { EventFacts } from '../report/facts.ts';

/** A WatchChannels stream that stays open during a call and remembers what it told. */
export class CallWatch implements AsyncDisposable {
  private readonly received: ChannelEvent[] = [];
  private readonly ids = new Set<string>();
  private readonly waits = new WaitList(() => `events so far: ${this.received.map(eventName).join(', ') || 'none'}`);
  private readonly abort = new AbortController();
  private isReady = false;
  private readonly ended: Promise<void>;

  private constructor(client: ServiceClient<RtpChannelServiceDefinition>, filter: string) {
    this.ended = this.read(client, filter).catch((error: unknown) => {
      if (!this.abort.signal.aborted) this.waits.abandon(`the watch broke: ${String(error)}`);
    });
  }

  /** Resolves when the snapshot has ended: what happens from now on is heard. */
  static async open(client: ServiceClient<RtpChannelServiceDefinition>, filter: string): Promise<CallWatch> {
    const watch = new CallWatch(client, filter);
    await watch.waits.until(() => watch.isReady, { what: 'the snapshot of WatchChannels' });
    return watch;
  }

  get events(): readonly ChannelEvent[] {
    return this.received;
  }

  /** The first event of a channel of one kind, heard already or to come. */
  waitFor(channelId: string, name: string, options: WaitOptions = {}): Promise<ChannelEvent> {
    const matches = (event: ChannelEvent): boolean => event.channelId === channelId && eventName(event) === name;
    return this.waits.until(() => this.received.find(matches), { what: `event ${name} of ${channelId}`, ...options });
  }

  facts(): EventFacts {
    const seen = new Map<string, number>();
    const channels = new Map<string, number[]>();
    for (const event of this.received) {
      seen.set(eventName(event), (seen.get(eventName(event)) ?? 0) + 1);
      channels.set(event.channelId, [...(channels.get(event.channelId) ?? []), event.sequence]);
    }
    // Sequences count from 1 without gaps.
    const missing = [...channels.values()].reduce((sum, numbers) => sum + Math.max(...numbers) - numbers.length, 0);
    return { seen: [...seen], missing };
  }

  /** The digits that a channel reported. */
  digitsOf(channelId: string): string {
    return this.received
      .filter((event) => event.channelId === channelId)
      .map(({ detail }) => (detail?.$case === 'dtmfReceived' ? detail.value.digit : ''))
      .join('');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async read(client: ServiceClient<RtpChannelServiceDefinition>, filter: string): Promise<void> {
    for await (const { item } of client.watchChannels({ filter }, { signal: this.abort.signal })) {
      if (item?.$case === 'snapshotEnd') this.isReady = true;
      // At least once: an event that comes again has the same id.
      if (item?.$case === 'event' && !this.ids.has(item.value.eventId)) {
        this.ids.add(item.value.eventId);
        this.received.push(item.value);
      }
      this.waits.changed();
    }
  }
}

export function eventName(event: ChannelEvent): string {
  return snakeCase(event.detail?.$case ?? 'unknown');
}
