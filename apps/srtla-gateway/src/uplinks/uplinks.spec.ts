import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { LINK_DEFAULTS, UPLINK_DEFAULTS } from './settings.ts';
import type { LinkSettings, UplinkSettings } from './settings.ts';
import { DevicelessSockets, EventLog, FakeMedia, interfacesOf } from './spec-parts.ts';
import { Uplinks } from './uplinks.ts';
import type { UplinkView } from './view.ts';

const RECEIVER = { receiverHost: '127.0.0.9', receiverPort: 5000 };

/** From one look around to the next, in which a second of the uplink's own time passes, however long the machine takes. */
const TEND_MS = 20;

function link(settings: Partial<LinkSettings>): LinkSettings {
  return { ...LINK_DEFAULTS, ...settings };
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe('uplinks', () => {
  let sockets: DevicelessSockets;
  let routeProblem: string;
  let media: FakeMedia;
  let log: EventLog;
  let interfaces: Record<string, string[]>;
  let names: Record<string, string[]>;
  let asked: string[];
  let uplinks: Uplinks;
  let statistics: UplinkView[];
  /** What passes from one look at the clock to the next. */
  let readingMs: number;

  beforeEach(() => {
    sockets = new DevicelessSockets();
    routeProblem = '';
    media = new FakeMedia();
    log = new EventLog();
    interfaces = { lo: ['127.0.0.1', '::1'] };
    names = {};
    asked = [];
    statistics = [];
    let readings = 0;
    readingMs = 0;
    let count = 0;
    uplinks = new Uplinks({
      media,
      sockets,
      log: { info: () => undefined, warn: () => undefined, error: () => undefined },
      newUplinkId: () => `up_${++count}`,
      onEvent: (event) => log.push(event),
      onStatistics: (view) => statistics.push(view),
      interfaces: () => interfacesOf(interfaces),
      nowMs: () => statistics.length * 1000 + (readings += 1) * readingMs,
      tendMs: TEND_MS,
      routeProblem: async () => routeProblem,
      resolve: async (host) => {
        asked.push(host);
        const found = names[host];
        if (found === undefined) throw new Error(`no ${host}`);
        return found;
      },
    });
  });

  afterEach(() => uplinks.stop());

  /** With all its links tended to. */
  async function create(settings: Partial<UplinkSettings>): Promise<UplinkView> {
    const { uplinkId } = await uplinks.create({ ...UPLINK_DEFAULTS, ...RECEIVER, ...settings });
    // Behind the links that the resolved receiver has called for.
    await log.until(({ type }) => type === 'receiver-resolved');
    return uplinks.keyFrames(uplinkId, 0);
  }

  test('gives the encoder a port and each link a socket, and takes all of them back', async () => {
    const before = descriptors();
    for (let round = 0; round < 3; round += 1) {
      const { uplinkId, listenAddress, listenPort, links } = await create({
        links: [link({ address: '127.0.0.2' }), link({ address: '127.0.0.3', name: 'lte' })],
      });
      expect(listenAddress).toBe('127.0.0.1');
      expect(listenPort).toBeGreaterThan(0);
      expect(links.map(({ phase, settings, socket }) => [phase, settings.name, socket?.receiver])).toEqual([
        ['registering', '127.0.0.2', '127.0.0.9:5000'],
        ['registering', 'lte', '127.0.0.9:5000'],
      ]);
      expect(descriptors()).toBe(before + 3);
      await uplinks.delete(uplinkId);
      expect(descriptors()).toBe(before);
      log.all.length = 0;
    }
    expect(media.sessions.size).toBe(0);
  });

  test('refuses what cannot be, with every field', async () => {
    const bad = {
      ...UPLINK_DEFAULTS,
      listenAddress: 'localhost',
      receiverHost: 'a b',
      receiverPort: 0,
      links: [link({}), link({ address: '127.0.0.2', cost: -1 }), link({ address: '127.0.0.2' })],
    };
    await expect(uplinks.create(bad)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      fieldViolations: [
        { field: 'receiver_host' },
        { field: 'receiver_port' },
        { field: 'listen_address' },
        { field: 'links[0].address' },
        { field: 'links[1].cost' },
        { field: 'links[2]' },
      ],
    });
    expect(media.calls).toEqual([]);
  });

  test('a port that is taken is said to be', async () => {
    const { listenPort } = await create({});
    const before = descriptors();
    await expect(uplinks.create({ ...UPLINK_DEFAULTS, ...RECEIVER, listenPort })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      reason: 'PORT_UNAVAILABLE',
    });
    expect(descriptors()).toBe(before);
  });

  test('a link whose address is not there waits for it', async () => {
    const { links, uplinkId } = await create({
      links: [link({ address: '192.0.2.77', name: 'lte' }), link({ device: 'wwan9' })],
    });
    expect(links.map(({ phase, problem }) => [phase, problem])).toEqual([
      ['no-socket', '192.0.2.77 is not an address of this machine'],
      ['no-socket', 'network interface wwan9 is not there, or has no address'],
    ]);
    expect(log.all.filter(({ type }) => type === 'link-waiting')).toHaveLength(2);
    // Link-local: nothing that reaches a receiver.
    interfaces['wwan9'] = ['169.254.7.7', '127.0.0.4'];
    await until(() => uplinks.describe(uplinkId).links[1].socket?.source === '127.0.0.4');
    expect(log.all.filter(({ type }) => type === 'link-waiting')).toHaveLength(2);
  });

  test('a link loses its socket with its address, and has another when that is back', async () => {
    interfaces['wwan0'] = ['127.0.0.4'];
    const { uplinkId } = await create({ links: [link({ device: 'wwan0' })] });
    const before = descriptors();
    interfaces['wwan0'] = [];
    await log.until(({ type }) => type === 'link-waiting');
    expect(descriptors()).toBe(before - 1);
    interfaces['wwan0'] = ['127.0.0.5'];
    await until(() => uplinks.describe(uplinkId).links[0].socket?.source === '127.0.0.5');
    expect(descriptors()).toBe(before);
  });

  test('a link is bound to its device; where that is forbidden its routes are looked at, and both are told once', async () => {
    interfaces['wwan0'] = ['127.0.0.4'];
    routeProblem = 'it leaves by eth0';
    const bound = await create({ links: [link({ device: 'wwan0' })] });
    expect(sockets.devices).toEqual(['wwan0']);
    expect(bound.links[0]).toMatchObject({ problem: '', socket: { device: 'wwan0' } });
    await uplinks.delete(bound.uplinkId);
    log.all.length = 0;
    sockets.forbidsDevices = true;
    const { uplinkId, links } = await create({ links: [link({ device: 'wwan0' })] });
    expect(links[0]).toMatchObject({ phase: 'registering', problem: 'it leaves by eth0', socket: { device: '' } });
    await uplinks.updateLink(uplinkId, 'wwan0', { enabled: false });
    await uplinks.updateLink(uplinkId, 'wwan0', { enabled: true });
    routeProblem = '';
    await until(() => uplinks.describe(uplinkId).links[0].problem === '');
    expect(log.types().filter((type) => type === 'link-unbound' || type === 'link-misrouted')).toEqual([
      'link-unbound',
      'link-misrouted',
    ]);
  });

  test('a link that nobody answers says so after a while, and no more when it is up', async () => {
    const { uplinkId } = await create({ links: [link({ address: '127.0.0.2' })] });
    const problem = (): string => uplinks.describe(uplinkId).links[0].problem;
    expect(problem()).toBe('');
    await until(() => problem() === 'no answer from 127.0.0.9:5000');
    media.setLink(0, { state: 'live', heardAgoMs: 10 });
    await until(() => problem() === '');
    media.setLink(0, { state: 'closed', heardAgoMs: 6000 });
    await until(() => problem() !== '');
    expect(log.types().filter((type) => type === 'link-unanswered')).toHaveLength(2);
  });

  test('the route of a link is looked at also while it is up', async () => {
    const { uplinkId } = await create({ links: [link({ address: '127.0.0.2' })] });
    media.setLink(0, { state: 'live', heardAgoMs: 10 });
    await until(() => uplinks.describe(uplinkId).links[0].phase === 'up');
    routeProblem = 'it leaves by eth0';
    await until(() => uplinks.describe(uplinkId).links[0].problem === 'it leaves by eth0');
    expect(log.types().filter((type) => type === 'link-misrouted')).toHaveLength(1);
  });

  test('links of the other family than the receiver say so, with the link', async () => {
    const { links } = await create({ links: [link({ address: '::1', name: 'six' }), link({ address: '127.0.0.2' })] });
    expect(links[0].problem).toBe('::1 is IPv6, but the receiver has IPv4 only: 127.0.0.9');
    expect(links[1].phase).toBe('registering');
    expect(log.all).toContainEqual(expect.objectContaining({ type: 'link-waiting', link: { number: 0, name: 'six' } }));
  });

  test('each link takes an address of its own family, of a receiver that has both', async () => {
    names['dual.test'] = ['::1', '127.0.0.9'];
    const links = [link({ address: '::1' }), link({ address: '127.0.0.2' })];
    const view = await create({ receiverHost: 'dual.test', links });
    expect(view.links.map(({ socket }) => socket?.receiver)).toEqual(['[::1]:5000', '127.0.0.9:5000']);
  });

  test('a receiver that has no name yet is looked up again; with all links lost its addresses are tried in turn', async () => {
    const { uplinkId } = await uplinks.create({
      ...UPLINK_DEFAULTS,
      receiverHost: 'away.test',
      receiverPort: 5000,
      links: [link({ address: '127.0.0.2' })],
    });
    await log.until((event) => event.type === 'link-waiting');
    expect(uplinks.describe(uplinkId).problem).toBe('away.test cannot be resolved: no away.test');
    names['away.test'] = ['127.0.0.8', '127.0.0.9'];
    const receiver = (): string | undefined => uplinks.describe(uplinkId).links[0].socket?.receiver;
    const seen = new Set<string>();
    await until(() => seen.add(receiver() ?? '').has('127.0.0.8:5000') && seen.has('127.0.0.9:5000'));
    expect(asked.length).toBeGreaterThan(1);
  });

  test('a link that is down for long tries the other addresses alone; those that are up stay where they are', async () => {
    names['two.test'] = ['127.0.0.8', '127.0.0.9'];
    const links = ['127.0.0.2', '127.0.0.3'].map((address) => link({ address }));
    const { uplinkId } = await create({ receiverHost: 'two.test', links });
    media.setLink(0, { state: 'live' });
    media.setLink(1, { state: 'joining' });
    const port = uplinks.describe(uplinkId).links[0].socket?.sourcePort;
    const before = asked.length;
    await until(() => uplinks.describe(uplinkId).links[1].socket?.receiver === '127.0.0.9:5000');
    expect(asked.length).toBeGreaterThan(before);
    expect(uplinks.describe(uplinkId).links[0].socket).toMatchObject({ receiver: '127.0.0.8:5000', sourcePort: port });
  });

  test.each([100, 250, 333.5, 500, 999])(
    'the receiver is asked for before a link is turned, also when the machine takes %p ms from one line to the next',
    async (ms) => {
      names['two.test'] = ['127.0.0.8', '127.0.0.9'];
      const links = ['127.0.0.2', '127.0.0.3'].map((address) => link({ address }));
      const { uplinkId } = await create({ receiverHost: 'two.test', links });
      media.setLink(0, { state: 'live' });
      media.setLink(1, { state: 'joining' });
      readingMs = ms;
      const before = asked.length;
      await until(() => uplinks.describe(uplinkId).links[1].socket?.receiver === '127.0.0.9:5000');
      expect(asked.length).toBeGreaterThan(before);
    },
  );

  test('a receiver whose name says another address is followed when all links are lost, and not while one is up', async () => {
    names['moved.test'] = ['127.0.0.8'];
    const { uplinkId } = await create({ receiverHost: 'moved.test', links: [link({ address: '127.0.0.2' })] });
    media.setLink(0, { state: 'live' });
    const receiver = (): string | undefined => uplinks.describe(uplinkId).links[0].socket?.receiver;
    await until(() => uplinks.describe(uplinkId).links[0].phase === 'up');
    names['moved.test'] = ['127.0.0.9'];
    const ticks = statistics.length;
    await until(() => statistics.length >= ticks + 10);
    expect(receiver()).toBe('127.0.0.8:5000');
    media.setLink(0, { state: 'joining' });
    await until(() => receiver() === '127.0.0.9:5000');
  });

  test('another receiver takes effect at once', async () => {
    const { uplinkId } = await create({ links: [link({ address: '127.0.0.2' })] });
    const before = descriptors();
    await uplinks.update(uplinkId, { receiverHost: '127.0.0.7', mode: 'classic' });
    await until(() => uplinks.describe(uplinkId).links[0].socket?.receiver === '127.0.0.7:5000');
    expect(media.argumentsOf('setUplinkMode')).toEqual([{ mode: 'classic' }]);
    expect(descriptors()).toBe(before);
  });

  test('a list of links takes the place of another: what stays is left alone', async () => {
    const { uplinkId } = await create({ links: ['127.0.0.2', '127.0.0.3'].map((address) => link({ address })) });
    const port = (view: UplinkView, name: string) =>
      view.links.find(({ settings }) => settings.name === name)?.socket?.sourcePort;
    const kept = port(uplinks.describe(uplinkId), '127.0.0.3');
    const view = await uplinks.setLinks(uplinkId, [
      link({ address: '127.0.0.4' }),
      link({ address: '127.0.0.3', cost: 5 }),
    ]);
    expect(view.links.map(({ number, settings: { name, cost } }) => [number, name, cost])).toEqual([
      [1, '127.0.0.3', 5],
      [0, '127.0.0.4', 0],
    ]);
    expect(port(view, '127.0.0.3')).toBe(kept);
    expect(media.argumentsOf('removeLink')).toEqual([{ link: 0 }]);
    expect(media.sessions).toEqual(new Set(['up_1', 'up_1.1.1', 'up_1.0.1']));
  });

  test('links are added, changed, switched off and removed one by one', async () => {
    const { uplinkId } = await create({ links: [link({ address: '127.0.0.2' })] });
    const before = descriptors();
    await uplinks.addLink(uplinkId, link({ address: '127.0.0.3', name: 'b' }));
    await expect(uplinks.addLink(uplinkId, link({ address: '127.0.0.3' }))).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await expect(uplinks.updateLink(uplinkId, '127.0.0.2', { name: 'b' })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await expect(uplinks.removeLink(uplinkId, 'c')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(descriptors()).toBe(before + 1);
    const off = await uplinks.updateLink(uplinkId, 'b', { enabled: false });
    expect(off.links[1]).toMatchObject({ phase: 'disabled', problem: '', socket: null });
    expect(descriptors()).toBe(before);
    expect((await uplinks.updateLink(uplinkId, 'b', { enabled: true })).links[1].phase).toBe('registering');
    await uplinks.removeLink(uplinkId, 'b');
    expect(descriptors()).toBe(before);
    await expect(uplinks.addLink('up_9', link({ address: '127.0.0.3' }))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('what a link has carried counts on, whatever becomes of it', async () => {
    const settings = link({ address: '127.0.0.2', capBytes: 1000 });
    const { uplinkId } = await create({ links: [settings] });
    media.setLink(0, { state: 'live', bytes: 500, receivedBytes: 100 });
    await uplinks.removeLink(uplinkId, '127.0.0.2');
    media.links.clear();
    expect((await uplinks.addLink(uplinkId, settings)).links[0].usedBytes).toBe(600);
    expect(media.argumentsOf('addLink').at(-1)).toMatchObject({ settings: { capBytes: 400 } });
    media.setLink(0, { state: 'live', bytes: 700, capReached: true });
    await until(() => uplinks.describe(uplinkId).links[0].phase === 'capped');
    expect(uplinks.describe(uplinkId).links[0].usedBytes).toBe(1300);
  });

  test('what was carried is remembered of the last links that were removed, not of all that ever were', async () => {
    const { uplinkId } = await create({});
    const exchange = async (address: string): Promise<number> => {
      const { links } = await uplinks.addLink(uplinkId, link({ address }));
      media.setLink(0, { state: 'live', bytes: 500 });
      await uplinks.removeLink(uplinkId, address);
      media.links.clear();
      return links[0].usedBytes;
    };
    for (let i = 0; i <= 256; i += 1) await exchange(`127.0.${i >> 7}.${(i & 127) + 2}`);
    expect(await exchange('127.0.0.3')).toBe(500);
    expect(await exchange('127.0.0.2')).toBe(0);
  });

  test('when its media thread dies, an uplink is there again on the same port, its caps less what was used', async () => {
    const settings = link({ address: '127.0.0.2', capBytes: 1000 });
    const { uplinkId, listenPort } = await create({ links: [settings] });
    const before = descriptors();
    media.setLink(0, { state: 'live', bytes: 300 });
    await until(() => uplinks.describe(uplinkId).links[0].usedBytes === 300);
    for (const sessionId of media.sessions) expect(uplinks.onSessionLost(sessionId, [], 'it died')).toBe(true);
    media.sessions.clear();
    media.links.clear();
    await log.until((event) => event.type === 'uplink-restarted' && event.cause === 'it died');
    await until(() => uplinks.describe(uplinkId).links[0].socket !== null);
    expect(uplinks.describe(uplinkId)).toMatchObject({ listenPort, links: [{ usedBytes: 300 }] });
    expect(media.argumentsOf('addLink').at(-1)).toMatchObject({ settings: { capBytes: 700 } });
    expect(descriptors()).toBe(before);
    expect(uplinks.onSessionLost('ln_7', [], 'it died')).toBe(false);
  });

  test('what is asked of it just then is done all the same', async () => {
    const { uplinkId } = await create({ links: [link({ address: '127.0.0.2' })] });
    const lost = [...media.sessions];
    media.sessions.clear();
    media.links.clear();
    for (const sessionId of lost) uplinks.onSessionLost(sessionId, [], 'it died');
    const { links } = await uplinks.setLinks(uplinkId, [link({ address: '127.0.0.3' })]);
    expect(links.map(({ settings: { name }, phase }) => [name, phase])).toEqual([['127.0.0.3', 'registering']]);
    expect(log.types().filter((type) => type === 'uplink-restarted')).toHaveLength(1);
  });

  test('a session that cannot be opened leaves no socket behind', async () => {
    const { uplinkId } = await create({});
    const before = descriptors();
    media.refuses = 'no more';
    const view = await uplinks.addLink(uplinkId, link({ address: '127.0.0.2' }));
    expect(view.links[0]).toMatchObject({ phase: 'no-socket', problem: 'no more' });
    await expect(uplinks.create({ ...UPLINK_DEFAULTS, ...RECEIVER })).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(descriptors()).toBe(before);
  });

  test('tells who the encoder is, but not what its stream id says', async () => {
    const { uplinkId } = await create({});
    const address = { w0: 0, w1: 0, w2: 0xffff, w3: 0x7f000001, port: 4000 };
    const streamId = '#!::r=live/studio,s=very-secret-key';
    expect(uplinks.onMediaEvent(uplinkId, { type: 'uplink-encoder-up', address, streamId, latencyMs: 200 })).toBe(true);
    const { encoder } = uplinks.describe(uplinkId);
    expect(encoder).toMatchObject({ address: '127.0.0.1:4000', latencyMs: 200 });
    expect(JSON.stringify([encoder, log.all])).not.toMatch(/studio|secret/);
    uplinks.onMediaEvent(uplinkId, { type: 'uplink-encoder-down', reason: 'silent' });
    expect(uplinks.describe(uplinkId).encoder).toBeNull();
    expect(uplinks.onMediaEvent('ln_1', { type: 'uplink-no-link' })).toBe(false);
  });

  test('shares and phases are those of the last second', async () => {
    const { uplinkId } = await create({
      links: ['127.0.0.2', '127.0.0.3', '127.0.0.4'].map((address) => link({ address })),
    });
    media.setLink(0, { state: 'live', bitrateBps: 3e6 });
    media.setLink(1, { state: 'live', bitrateBps: 1e6, weak: 'rtt' });
    media.setLink(2, { state: 'live', suspect: true });
    await until(() => uplinks.describe(uplinkId).links[2].phase === 'suspect');
    const view = statistics.at(-1);
    expect(view).toMatchObject({ uplinkId, bitrateBps: 4e6 });
    expect(view?.links.map(({ phase, share, upSinceMs }) => [phase, share, upSinceMs > 0])).toEqual([
      ['up', 0.75, true],
      ['weak', 0.25, true],
      ['suspect', 0, true],
    ]);
  });

  /** Uplinks look around at a pace of their own, and tell nobody when they have seen nothing new. */
  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
