import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Endpoint, LinkConditions } from './simulated-network.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import { VirtualClock } from './virtual-clock.ts';

const A: Endpoint = { address: '10.0.0.1', port: 1000 };
const B: Endpoint = { address: '10.0.0.2', port: 2000 };
const C: Endpoint = { address: '10.0.0.3', port: 3000 };
const OUTSIDE = '203.0.113.1';

interface Arrival {
  readonly index: number;
  readonly atUs: number;
  readonly from: Endpoint;
}

/** Sends `count` datagrams from A to B, one a millisecond, and tells what arrived when. */
function run(
  conditions: LinkConditions,
  seed: number,
  count: number,
): { arrivals: Arrival[]; network: SimulatedNetwork } {
  const clock = new VirtualClock();
  const network = new SimulatedNetwork(clock, seed);
  network.setDefault(conditions);
  const arrivals: Arrival[] = [];
  network.bind(B, ([index], from) => arrivals.push({ index, atUs: clock.nowUs, from }));
  const a = network.bind(A, () => {});
  for (let index = 0; index < count; index++) clock.at(index * 1000, () => a.send(Uint8Array.of(index), B));
  clock.run(10_000_000);
  return { arrivals, network };
}

const conditions = fc.record({
  latencyUs: fc.nat(100_000),
  jitterUs: fc.nat(50_000),
  loss: fc.double({ min: 0, max: 1, noNaN: true }),
  duplicate: fc.double({ min: 0, max: 1, noNaN: true }),
  reorder: fc.double({ min: 0, max: 1, noNaN: true }),
  reorderUs: fc.nat(50_000),
});

describe('SimulatedNetwork', () => {
  test('the same seed gives the same run, another one another', () => {
    fc.assert(
      fc.property(conditions, fc.integer(), (link, seed) => {
        expect(run(link, seed, 50).arrivals).toEqual(run(link, seed, 50).arrivals);
      }),
    );
    const lossy = { loss: 0.5 };
    expect(run(lossy, 1, 50).arrivals).not.toEqual(run(lossy, 2, 50).arrivals);
  });

  test('every datagram is accounted for, and none comes too early or too late', () => {
    fc.assert(
      fc.property(conditions, fc.integer(), (link, seed) => {
        const { arrivals, network } = run(link, seed, 100);
        const { sent, delivered, duplicated, lost } = network.counters;
        expect(sent).toBe(100);
        expect(delivered).toBe(arrivals.length);
        expect(sent + duplicated).toBe(delivered + lost);
        for (const { index, atUs } of arrivals) {
          expect(atUs).toBeGreaterThanOrEqual(index * 1000 + link.latencyUs);
          // One that must not overtake waits for one before it, which was sent earlier.
          expect(atUs).toBeLessThanOrEqual(index * 1000 + link.latencyUs + link.jitterUs + link.reorderUs);
        }
      }),
    );
  });

  test('without reordering jitter keeps the order; with it, some are overtaken', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer(), (jitterUs, seed) => {
        const order = run({ jitterUs }, seed, 100).arrivals.map(({ index }) => index);
        expect(order).toEqual(Array.from({ length: 100 }, (_, index) => index));
      }),
    );
    const order = run({ reorder: 0.2 }, 1, 100).arrivals.map(({ index }) => index);
    expect(order.slice().sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(order).not.toEqual(order.slice().sort((a, b) => a - b));
  });

  test("a payload is the receiver's own", () => {
    const clock = new VirtualClock();
    const network = new SimulatedNetwork(clock, 1);
    const payload = Uint8Array.of(1);
    let received = 0;
    network.bind(B, ([first]) => (received = first));
    network.bind(A, () => {}).send(payload, B);
    payload[0] = 2;
    clock.run(1);
    expect(received).toBe(1);
  });

  test('conditions hold for one direction of one link', () => {
    const clock = new VirtualClock();
    const network = new SimulatedNetwork(clock, 1);
    const arrivals: string[] = [];
    const sockets = [A, B, C].map((end) =>
      network.bind(end, (_, from) => arrivals.push(`${from.port}>${end.port} ${clock.nowUs}`)),
    );
    network.setDefault({ latencyUs: 10 });
    network.setLink(A.address, B.address, { latencyUs: 20 });
    sockets[0].send(Uint8Array.of(1), B);
    sockets[1].send(Uint8Array.of(1), A);
    sockets[0].send(Uint8Array.of(1), C);
    clock.run(100);
    expect(arrivals.sort()).toEqual(['1000>2000 20', '1000>3000 10', '2000>1000 10']);
  });

  test('a partition stops what is sent and what is under way until it is healed', () => {
    const clock = new VirtualClock();
    const network = new SimulatedNetwork(clock, 1);
    network.setDefault({ latencyUs: 100 });
    const heard: Endpoint[] = [];
    const [a, , c] = [A, B, C].map((end) => network.bind(end, (_, from) => heard.push(from)));
    a.send(Uint8Array.of(1), B);
    clock.run(50);
    network.partition([A.address], [B.address]);
    a.send(Uint8Array.of(2), B);
    c.send(Uint8Array.of(3), B);
    c.send(Uint8Array.of(3), A);
    clock.run(1000);
    expect(heard).toEqual([C, C]);
    expect(network.counters).toMatchObject({ partitioned: 2, delivered: 2 });
    network.heal();
    a.send(Uint8Array.of(4), B);
    clock.run(1000);
    expect(heard).toEqual([C, C, A]);
  });

  test('a NAT hides its host, lets answers in, and forgets', () => {
    const clock = new VirtualClock();
    const network = new SimulatedNetwork(clock, 1);
    network.addNat(A.address, OUTSIDE);
    let answers = 0;
    const a = network.bind(A, () => answers++);
    const seen: Endpoint[] = [];
    const b = network.bind(B, (_, from) => seen.push(from));
    const say = (): void => {
      a.send(Uint8Array.of(1), B);
      clock.run(10);
    };
    b.send(Uint8Array.of(1), A);
    say();
    say();
    expect(answers).toBe(0);
    expect(seen[0].address).toBe(OUTSIDE);
    expect(seen[1]).toEqual(seen[0]);
    b.send(Uint8Array.of(1), seen[0]);
    clock.run(10);
    expect(answers).toBe(1);

    network.rebindNat(A.address);
    b.send(Uint8Array.of(1), seen[0]);
    say();
    b.send(Uint8Array.of(1), seen[0]);
    clock.run(10);
    expect(answers).toBe(1);
    expect(seen[2].port).not.toBe(seen[0].port);
    b.send(Uint8Array.of(1), seen[2]);
    clock.run(10);
    expect(answers).toBe(2);
    expect(network.counters.unreachable).toBe(3);
  });

  test('an address has one listener at a time', () => {
    const network = new SimulatedNetwork(new VirtualClock(), 1);
    const socket = network.bind(A, () => {});
    expect(() => network.bind(A, () => {})).toThrow('in use');
    socket.close();
    network.bind(A, () => {});
  });
});
