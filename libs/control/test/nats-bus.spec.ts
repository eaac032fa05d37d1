import { startNatsServer } from '@mediaplane/testkit';
import type { NatsServer } from '@mediaplane/testkit';
import { NatsBus } from '../src/bus/nats-bus.ts';
import { delay, systemClock } from '../src/clock.ts';
import { testBus } from './bus-conformance.ts';

let server: NatsServer;
let buses: [NatsBus, NatsBus];

testBus('nats', {
  async open() {
    server = await startNatsServer();
    const connect = (name: string): Promise<NatsBus> => NatsBus.connect({ servers: [server.url], name });
    buses = [await connect('a'), await connect('b')];
    return buses;
  },
  elapse: (ms) => delay(systemClock, ms),
  // A request's answer comes after all that was sent before it on that connection; twice, for what crosses over.
  async settle() {
    for (let round = 0; round < 2; round++) {
      for (const bus of buses) {
        await bus.request('mp.test.nobody', new Uint8Array(0), { timeoutMs: 5_000 }).catch(() => undefined);
      }
    }
  },
  async close() {
    await Promise.all(buses.map((bus) => bus.close()));
    await server.stop();
  },
});
