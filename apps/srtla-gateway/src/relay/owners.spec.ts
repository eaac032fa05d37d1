import { describe, expect, test } from '@jest/globals';
import type { InstanceStatus } from '@mediaplane/control';
import { parseSocketAddress, plainAddress } from '@mediaplane/net';
import { Owners } from './owners.ts';
import type { Ownership } from './owners.ts';
import { relayPurpose } from './relay-network.ts';

const ADDRESS = '10.0.0.7:7000';
const OTHER: Ownership = {
  kind: 'other',
  instanceId: 'b',
  address: plainAddress(parseSocketAddress('10.0.0.7', 7000)),
};

function member(instanceId: string, fields: Partial<InstanceStatus> = {}): InstanceStatus {
  return {
    instanceId,
    service: 'srtla-gateway',
    zone: '',
    addresses: { [relayPurpose('main')]: ADDRESS },
    version: '1',
    state: 'SERVING',
    capacity: { limit: 1, used: 0 },
    load: 0,
    epoch: 1,
    startedAtUnixMs: 0,
    heartbeatIntervalMs: 1000,
    lastSeenMsAgo: 100,
    away: false,
    ...fields,
  };
}

/** An instance `a`, and what it knows; the bucket of claims holds one entry at the most. */
class World {
  members: InstanceStatus[] = [];
  bus: 'connected' | 'away' = 'connected';
  claim: string | undefined;
  /** Who is faster with each attempt to take it. */
  readonly rivals: string[] = [];
  taken = 0;
  nowMs = 0;

  owners(canRelay = true): Owners {
    const bus = (): 'connected' | 'away' => this.bus;
    return new Owners({
      service: 'srtla-gateway',
      instanceId: 'a',
      bus: {
        get state() {
          return bus();
        },
      },
      fleet: { list: () => this.members },
      claims: {
        owner: async () => this.claim,
        take: async (_, from) => {
          const rival = this.rivals.shift();
          if (rival !== undefined) this.claim = rival;
          if (this.claim !== from) return false;
          this.claim = 'a';
          this.taken += 1;
          return true;
        },
      },
      canRelay,
      nowMs: () => this.nowMs,
    });
  }

  async find({ mayTake = true, canRelay = true, afterMs = 60_000 } = {}): Promise<Ownership> {
    const owners = this.owners(canRelay);
    this.nowMs += afterMs;
    return owners.find('id', 'b', 'main', mayTake);
  }
}

describe('the owner of a group', () => {
  test('is who began it, while that lives', async () => {
    const world = new World();
    world.members = [member('b')];
    expect(await world.find()).toEqual(OTHER);
    expect(world.taken).toBe(0);
  });

  test('is who has claimed it', async () => {
    const world = new World();
    world.claim = 'b';
    world.members = [member('b')];
    expect(await world.owners().find('id', 'dead', 'main', true)).toEqual(OTHER);
    world.claim = 'a';
    expect(await world.find()).toEqual({ kind: 'ours' });
  });

  test('cannot be reached without a key, or when it announces no relay address', async () => {
    const world = new World();
    world.members = [member('b')];
    expect(await world.find({ canRelay: false })).toEqual({ kind: 'unreachable' });
    world.members = [member('b', { addresses: { [relayPurpose('another')]: ADDRESS } })];
    expect(await world.find()).toEqual({ kind: 'unreachable' });
    world.members = [member('b', { addresses: { [relayPurpose('main')]: 'nonsense' } })];
    expect(await world.find()).toEqual({ kind: 'unreachable' });
  });

  test('is this instance from now on, when the former is gone, with a key or without', async () => {
    for (const canRelay of [true, false]) {
      const world = new World();
      world.members = [member('b', { away: true })];
      expect(await world.find({ canRelay })).toEqual({ kind: 'ours' });
      expect(world.claim).toBe('a');
    }
    const unheard = new World();
    expect(await unheard.find()).toEqual({ kind: 'ours' });
  });

  test('is another one that was faster', async () => {
    const world = new World();
    world.members = [member('c'), member('b', { away: true })];
    world.rivals.push('c');
    expect(await world.find()).toMatchObject({ kind: 'other', instanceId: 'c' });
    expect(world.taken).toBe(0);
  });

  test('is taken again from one that has claimed it and is gone, too', async () => {
    const world = new World();
    world.claim = 'c';
    world.members = [member('c', { away: true }), member('b')];
    expect(await world.find()).toEqual({ kind: 'ours' });
  });

  test('is not known yet: shortly after the start, while the bus is away, while draining', async () => {
    const world = new World();
    expect(await world.find({ afterMs: 1000 })).toEqual({ kind: 'unknown' });
    world.members = [member('b', { away: true })];
    expect(await world.find({ mayTake: false })).toEqual({ kind: 'unknown' });
    expect(world.taken).toBe(0);
    world.members = [];
    world.bus = 'away';
    expect(await world.find()).toEqual({ kind: 'unknown' });
  });

  test('is reached while the bus is away, as it was known last', async () => {
    const world = new World();
    world.bus = 'away';
    world.members = [member('b', { away: true })];
    expect(await world.find()).toEqual(OTHER);
  });
});
