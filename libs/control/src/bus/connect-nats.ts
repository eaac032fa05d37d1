import type { Bus } from './bus.ts';
import type { NatsBusOptions } from './nats-bus.ts';

/**
 * A bus over NATS. Rejects when NATS cannot be reached or refuses us. Its client library is loaded here, not before: on the embedded bus
 * nobody waits for it.
 */
export async function connectNats(options: NatsBusOptions): Promise<Bus> {
  const { NatsBus } = await import('./nats-bus.ts');
  return NatsBus.connect(options);
}
