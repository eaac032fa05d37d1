import { srtla } from '@mediaplane/proto';
import type { ServiceClient } from '@mediaplane/service';
import { WaitList } from '@mediaplane/testkit';

interface HeardEvent {
  readonly detail: srtla.SrtlaEvent['detail'];
  /** By performance.now(). */
  readonly heardMs: number;
}

/** What happens to an uplink, as WatchUplinks tells it. */
export class UplinkWatch implements AsyncDisposable {
  private readonly heard: HeardEvent[] = [];
  private readonly links = new Set<string>();
  private readonly waits = new WaitList(() => `links that are up: ${[...this.links].join(', ') || 'none'}`);
  private readonly abort = new AbortController();
  private readonly ended: Promise<void>;

  constructor(client: ServiceClient<srtla.SrtlaGatewayServiceDefinition>, uplinkId: string) {
    this.ended = this.read(client, uplinkId).catch((error: unknown) => {
      if (!this.abort.signal.aborted) this.waits.abandon(`the watch broke: ${String(error)}`);
    });
  }

  /** Resolves when so many links have been up. */
  async linksUp(count: number): Promise<void> {
    await this.waits.until(() => this.links.size >= count, { what: `${count} links` });
  }

  /** When the uplink began to take a link for dead; undefined when it did not. */
  failoverMs(linkName: string): number | undefined {
    return this.heard.find(({ detail }) => detail?.$case === 'failover' && detail.value.linkName === linkName)?.heardMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.abort.abort();
    await this.ended;
  }

  private async read(client: ServiceClient<srtla.SrtlaGatewayServiceDefinition>, uplinkId: string): Promise<void> {
    const stream = client.watchUplinks({ uplinkIds: [uplinkId] }, { signal: this.abort.signal });
    for await (const { item } of stream) {
      // The snapshot tells of links that came up before.
      if (item?.$case === 'uplink') {
        const up = item.value.links.filter(({ state }) => state === srtla.LinkState.UP);
        for (const { settings } of up) this.links.add(settings?.name ?? '');
      }
      if (item?.$case === 'event') {
        const { detail } = item.value;
        this.heard.push({ detail, heardMs: performance.now() });
        if (detail?.$case === 'linkUp') this.links.add(detail.value.linkName);
      }
      this.waits.changed();
    }
  }
}
