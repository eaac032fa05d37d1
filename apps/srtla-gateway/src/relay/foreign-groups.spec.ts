import { describe, expect, test } from '@jest/globals';
import { parseSocketAddress, plainAddress } from '@mediaplane/net';
import type { UdpSocketHandle } from '@mediaplane/net';
import { srtla } from '@mediaplane/proto';
import { pino } from 'pino';
import { LiveGroup } from '../listeners/live-group.ts';
import { LiveListener } from '../listeners/live-listener.ts';
import type { ListenerMedia } from '../listeners/upstreams.ts';
import { ForeignGroups } from './foreign-groups.ts';
import type { Claim } from './owner-claims.ts';
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

/** One instance, `a`, without a key, whose surroundings say what they are told to. */
class Stand {
  readonly commands: string[] = [];
  readonly said: string[] = [];
  ownership: Ownership = { kind: 'unreachable' };
  left: LiveGroup | 'ended' | undefined;
  adopts = true;
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

  constructor() {
    this.listener.isOpen = true;
    const command: ListenerMedia['command'] = async (_session, name) => {
      this.commands.push(name);
      return this.adopts as never;
    };
    this.foreign = new ForeignGroups({
      instanceId: 'a',
      owners: { find: async () => this.ownership },
      claims: this.claims,
      relays: undefined,
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
