import { describe, expect, test } from '@jest/globals';
import { EmbeddedBus } from '@mediaplane/control';
import { parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { UdpSocketHandle } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { pino } from 'pino';
import { LiveGroup } from '../listeners/live-group.ts';
import { LiveListener } from '../listeners/live-listener.ts';
import type { ListenerMedia } from '../listeners/upstreams.ts';
import { ForeignGroups } from './foreign-groups.ts';
import type { ForeignGroupsParts } from './foreign-groups.ts';
import type { Claim } from './owner-claims.ts';
import type { LiveRelay } from './relays.ts';
import { claimKey } from './owner-claims.ts';
import type { Ownership } from './owners.ts';

const GROUP = 'ab'.repeat(256);
const STREAM_UNIX_MS = 1_800_000_000_000;
const LINK = plainAddress(parseSocketAddress('198.51.100.7', 5000));
const SOCKET: UdpSocketHandle = {
  id: 1,
  implementation: 'dgram',
  fd: -1,
  address: '192.0.2.1',
  port: 5000,
  dscp: 0,
  receiveBufferBytes: 0,
  sendBufferBytes: 0,
};

/** One instance, `a`, whose surroundings say what they are told to; without a key, unless links are to be handed on. */
class Stand {
  readonly commands: string[] = [];
  readonly said: string[] = [];
  ownership: Ownership = { kind: 'unreachable' };
  left: LiveGroup | 'ended' | undefined;
  adopts = true;
  /** Handed on now. */
  #relay: LiveRelay | undefined;
  readonly listener: LiveListener;
  readonly claims = {
    onClaim: (_key: string, _claim: Claim): void => undefined,
    insist: async () => void this.said.push('insist'),
    yield: () => void this.said.push('yield'),
    release: () => void this.said.push('release'),
  };
  readonly foreign: ForeignGroups;

  constructor({ handsOn = false, bus = new EmbeddedBus(), instanceId = 'a', name = 'main' } = {}) {
    this.listener = new LiveListener(
      SOCKET,
      srtla.Listener.fromPartial({ listenerId: `ln_${instanceId}_1` }),
      srtla.ListenerSettings.fromPartial({ name }),
    );
    const relays: ForeignGroupsParts['relays'] = {
      values: () => (this.#relay === undefined ? [] : [this.#relay]),
      get: () => this.#relay,
      ofSession: () => this.#relay,
      open: async (link, owner, ownerAddress) => {
        this.#relay = { link, owner, ownerAddress, sessionId: 'relay', socket: SOCKET };
        this.said.push(`hand on${link.groupId === GROUP ? '' : ' without an id'} to ${owner}`);
        return true;
      },
      close: async () => {
        this.#relay = undefined;
        this.said.push('let go');
      },
      forget: () => false,
    };
    this.listener.isOpen = true;
    const command: ListenerMedia['command'] = async (_session, name) => {
      this.commands.push(name);
      return this.adopts as never;
    };
    this.foreign = new ForeignGroups({
      instanceId,
      owners: { find: async () => this.ownership, reach: () => this.ownership },
      claims: this.claims,
      relays: handsOn ? relays : undefined,
      bus,
      listeners: () => [this.listener],
      opening: {
        takeOverForeign: async () => this.left,
        giveUp: async () => void this.said.push('give up'),
      },
      media: { command },
      groups: () => this.listener.groups.values(),
      isDraining: () => false,
      log: pino({ level: 'silent' }),
    });
  }

  group(state: srtla.GroupState): LiveGroup {
    const record = srtla.Group.fromPartial({
      groupId: 'gr_a_1',
      state,
      streamTime: new Date(STREAM_UNIX_MS),
      links: [{ address: { address: '198.51.100.7', port: 5000 } }],
    });
    const group = new LiveGroup(this.listener, GROUP, record, 0);
    this.listener.groups.set(1, group);
    return group;
  }

  async comes(isRelayed = false): Promise<void> {
    this.foreign.onForeignLink(this.listener, {
      type: 'foreign-group',
      id: GROUP,
      issuer: 'b',
      address: LINK,
      isRelayed,
    });
    await settled();
  }
}

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a link of a foreign group', () => {
  test('is refused where its owner cannot be reached, and left alone where that is not known', async () => {
    const stand = new Stand();
    await stand.comes();
    expect(stand.commands.splice(0)).toEqual(['refuseForeign']);
    stand.ownership = { kind: 'unknown' };
    await stand.comes();
    expect(stand.commands).toEqual([]);
  });

  test('that another instance hands on is not handed on to a third', async () => {
    const stand = new Stand();
    stand.ownership = { kind: 'other', instanceId: 'c', address: LINK };
    await stand.comes(true);
    expect(stand.commands).toEqual(['refuseForeign']);
    expect(stand.foreign.refused).toBe(1);
  });

  test('brings its group where that is ours now', async () => {
    const stand = new Stand();
    stand.ownership = { kind: 'ours' };
    await stand.comes();
    expect(stand.commands).toEqual(['adoptGroup']);
    expect(stand.foreign.adopted).toBe(1);
    stand.group(srtla.GroupState.REGISTERED);
    await stand.comes();
    expect(stand.foreign.adopted).toBe(1);
  });

  test('whose group was ended for good begins anew', async () => {
    const stand = new Stand();
    stand.ownership = { kind: 'ours' };
    stand.left = 'ended';
    await stand.comes();
    expect(stand.commands).toEqual(['refuseForeign']);
    expect(stand.said).toEqual(['release']);
  });

  test('whose group finds no room leaves it to others', async () => {
    const stand = new Stand();
    stand.ownership = { kind: 'ours' };
    stand.adopts = false;
    stand.left = new LiveGroup(stand.listener, GROUP, srtla.Group.fromPartial({}), 0);
    await stand.comes();
    expect(stand.said).toEqual(['release', 'give up']);
    expect(stand.foreign.adopted).toBe(0);
  });
});

describe('a link that comes without a word of its group', () => {
  const B: Ownership = { kind: 'other', instanceId: 'b', address: LINK };

  /** Instances `a` and `b` on one bus; a link of a group of `b`, or of nobody, comes to `a`. */
  async function pair({ handsOn = true, known = true } = {}): Promise<{ a: Stand; b: Stand }> {
    const bus = new EmbeddedBus();
    const a = new Stand({ handsOn, bus });
    const b = new Stand({ handsOn: true, bus, instanceId: 'b' });
    a.ownership = B;
    if (known) b.group(srtla.GroupState.STREAMING);
    return { a, b };
  }

  async function stranger(stand: Stand): Promise<void> {
    stand.foreign.onStranger(stand.listener, { type: 'stranger', address: LINK });
    await settled();
    await settled();
  }

  test('is handed on to who has it, and no id is known', async () => {
    const { a, b } = await pair();
    await stranger(a);
    expect(a.said).toEqual(['hand on without an id to b']);
    expect([...a.commands, ...b.commands, ...b.said]).toEqual([]);
  });

  test('is left to register again when nobody has it, who has it cannot be reached, or links are not handed on', async () => {
    const unknown = await pair({ known: false });
    await stranger(unknown.a);
    const unreachable = await pair();
    unreachable.a.ownership = { kind: 'unreachable' };
    await stranger(unreachable.a);
    const alone = await pair({ handsOn: false });
    await stranger(alone.a);
    for (const { a } of [unknown, unreachable, alone]) expect([...a.said, ...a.commands]).toEqual([]);
  });

  test('is not looked for while its listener closes, nor in a listener of another name', async () => {
    const { a } = await pair();
    a.listener.closing = Promise.resolve();
    await stranger(a);
    expect(a.said).toEqual([]);
    const bus = new EmbeddedBus();
    const [seeker, other] = [
      new Stand({ handsOn: true, bus }),
      new Stand({ handsOn: true, bus, name: 'other', instanceId: 'b' }),
    ];
    seeker.ownership = B;
    other.group(srtla.GroupState.STREAMING);
    await stranger(seeker);
    expect(seeker.said).toEqual([]);
  });

  test('is let go when its owner says nothing and cannot be reached any more', async () => {
    const { a } = await pair();
    await stranger(a);
    a.said.length = 0;
    a.ownership = { kind: 'unknown' };
    a.foreign.onRelayEvent('relay', { type: 'relay-owner-silent' });
    await settled();
    expect(a.said).toEqual(['let go']);
    expect(a.commands).toEqual([]);
  });

  test('what is none of ours on the bus comes to nothing', async () => {
    const bus = new EmbeddedBus();
    const stand = new Stand({ handsOn: true, bus });
    stand.ownership = B;
    stand.group(srtla.GroupState.STREAMING);
    for (const text of [
      '',
      ' ',
      'b',
      'b main',
      'b main x',
      'b main 198.51.100.7:5000 more',
      'b.> main 198.51.100.7:5000',
    ]) {
      bus.publish('mp.v1.srtla-gateway.link.sought', Buffer.from(text));
      bus.publish('mp.v1.srtla-gateway.link.found.a', Buffer.from(text));
    }
    bus.publish('mp.v1.srtla-gateway.link.found.a', Buffer.from('b main 198.51.100.7:5000'));
    await settled();
    expect([...stand.said, ...stand.commands]).toEqual([]);
  });
});

test('links of a listener whose media session is lost are handed on by the next one', async () => {
  const stand = new Stand({ handsOn: true });
  stand.ownership = { kind: 'other', instanceId: 'b', address: LINK };
  await stand.comes();
  expect(stand.said.splice(0)).toEqual(['hand on to b']);
  stand.foreign.onListenerLost(stand.listener);
  expect(stand.said.splice(0)).toEqual(['let go']);
  while (stand.said.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(stand.said).toEqual(['hand on to b']);
});

describe('a group that is here and that another instance claims', () => {
  test('is claimed back when it streams, unless there the encoder has begun anew', async () => {
    const stand = new Stand();
    stand.group(srtla.GroupState.STREAMING);
    stand.claims.onClaim(claimKey(GROUP), { instanceId: 'b', streamUnixMs: 0 });
    stand.claims.onClaim(claimKey(GROUP), { instanceId: 'b', streamUnixMs: STREAM_UNIX_MS - 1 });
    await settled();
    expect(stand.said.splice(0)).toEqual(['insist', 'insist']);
    expect(stand.commands).toEqual([]);
    stand.claims.onClaim(claimKey(GROUP), { instanceId: 'b', streamUnixMs: STREAM_UNIX_MS + 1 });
    await settled();
    expect(stand.said).toEqual(['yield']);
  });

  test('is left to it when it does not, and its links go there', async () => {
    const stand = new Stand();
    stand.group(srtla.GroupState.REGISTERED);
    stand.claims.onClaim(claimKey(GROUP), { instanceId: 'b', streamUnixMs: 0 });
    await settled();
    expect(stand.said).toEqual(['yield']);
    expect(stand.commands).toEqual(['releaseGroup', 'refuseForeign']);
  });

  test("is nobody else's when the claim is our own, or of another group", async () => {
    const stand = new Stand();
    stand.group(srtla.GroupState.REGISTERED);
    stand.claims.onClaim(claimKey(GROUP), { instanceId: 'a', streamUnixMs: 0 });
    stand.claims.onClaim(claimKey('cd'.repeat(256)), { instanceId: 'b', streamUnixMs: 0 });
    await settled();
    expect([...stand.said, ...stand.commands]).toEqual([]);
  });
});
