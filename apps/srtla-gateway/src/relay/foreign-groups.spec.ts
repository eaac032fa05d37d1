import { describe, expect, test } from '@jest/globals';
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
import { claimKey } from './owner-claims.ts';
import type { Ownership } from './owners.ts';

const GROUP = 'ab'.repeat(256);
const STREAM_UNIX_MS = 1_800_000_000_000;
const LINK_IP = '198.51.100.7';
const LINK = plainAddress(parseSocketAddress(LINK_IP, 5000));
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
  /** What has been stored of groups. */
  stored: srtla.GroupRecord[] = [];
  readonly listener = new LiveListener(
    SOCKET,
    srtla.Listener.fromPartial({ listenerId: 'ln_a_1' }),
    srtla.ListenerSettings.fromPartial({ name: 'main' }),
  );
  readonly claims = {
    onClaim: (_key: string, _claim: Claim): void => undefined,
    insist: async () => void this.said.push('insist'),
    yield: () => void this.said.push('yield'),
    release: () => void this.said.push('release'),
  };
  readonly foreign: ForeignGroups;

  constructor({ handsOn = false } = {}) {
    const relays: ForeignGroupsParts['relays'] = {
      values: () => [],
      get: () => undefined,
      ofSession: () => undefined,
      open: async ({ groupId }, owner) => {
        this.said.push(`${groupId === GROUP ? 'hand on' : 'hand on another'} to ${owner}`);
        return true;
      },
      close: async () => undefined,
      forget: () => false,
    };
    this.listener.isOpen = true;
    const command: ListenerMedia['command'] = async (_session, name) => {
      this.commands.push(name);
      return this.adopts as never;
    };
    this.foreign = new ForeignGroups({
      instanceId: 'a',
      owners: { find: async () => this.ownership },
      claims: this.claims,
      relays: handsOn ? relays : undefined,
      records: { ofAll: async () => this.stored },
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

  function stored(key: string, instanceId: string, seenUnixMs = 0): srtla.GroupRecord {
    const links = [{ address: { address: '198.51.100.8', port: 5000 } }, { address: { address: LINK_IP, port: 5000 } }];
    return srtla.GroupRecord.fromPartial({
      group: { instanceId, links },
      key: Buffer.from(key, 'hex'),
      seenTime: new Date(seenUnixMs),
    });
  }

  async function stranger(stand: Stand): Promise<void> {
    stand.foreign.onStranger(stand.listener, { type: 'stranger', address: LINK });
    await settled();
  }

  test('is handed on to who has it, by the latest record that names it', async () => {
    const stand = new Stand({ handsOn: true });
    stand.ownership = B;
    stand.stored = [stored('cd'.repeat(256), 'c', 1000), stored(GROUP, 'b', 2000), stored('ef'.repeat(256), 'd', 500)];
    await stranger(stand);
    expect(stand.said).toEqual(['hand on to b']);
  });

  test('is left to register again when it is in no record, its owner cannot be reached, or links are not handed on', async () => {
    const unknown = new Stand({ handsOn: true });
    unknown.ownership = B;
    await stranger(unknown);
    const unreachable = new Stand({ handsOn: true });
    unreachable.stored = [stored(GROUP, 'b')];
    await stranger(unreachable);
    const alone = new Stand();
    alone.ownership = B;
    alone.stored = [stored(GROUP, 'b')];
    await stranger(alone);
    for (const stand of [unknown, unreachable, alone]) expect([...stand.said, ...stand.commands]).toEqual([]);
  });

  test('comes back to its group where that is ours, and begins none', async () => {
    const stand = new Stand({ handsOn: true });
    stand.ownership = { kind: 'ours' };
    stand.stored = [stored(GROUP, 'a')];
    await stranger(stand);
    expect(stand.commands).toEqual([]);
    const again = new Stand({ handsOn: true });
    again.ownership = { kind: 'ours' };
    again.stored = [stored(GROUP, 'a')];
    again.group(srtla.GroupState.STREAMING);
    await stranger(again);
    expect(again.commands).toEqual(['adoptGroup']);
  });

  test('costs one look at the records, whoever else comes meanwhile', async () => {
    const stand = new Stand({ handsOn: true });
    let looks = 0;
    Object.defineProperty(stand, 'stored', { get: () => ((looks += 1), []) });
    for (let times = 0; times < 100; times += 1) await stranger(stand);
    expect(looks).toBe(1);
  });
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
