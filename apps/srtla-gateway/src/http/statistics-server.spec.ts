import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { StatisticsServer } from './statistics-server.ts';
import { StreamPages } from './stream-pages.ts';
import { UplinkPages } from './uplink-pages.ts';

const KEY = 'sesame';
const STANDS = { groupId: 'gr_a_1', streamName: 'x', streamTime: new Date(100_000) };

function sample(groupId: string, streamName: string, bitrateBps: number): srtla.GroupSample {
  return srtla.GroupSample.fromPartial({
    groupId,
    streamName,
    latencyMs: 2000,
    streamTime: new Date(100_000),
    statistics: {
      sampleTime: new Date(216_400),
      bitrateBps,
      rttMs: 42.4,
      nakPackets: 7,
      uptimeMs: 3_600_000,
      links: [
        {
          address: { address: '192.0.2.1', port: 4000 },
          bitrateBps,
          share: 1,
          rttMs: 42.4,
          jitterMs: 12.069,
          bytes: 9,
        },
      ],
    },
  });
}

describe('the page for scene switchers', () => {
  const pages = new StreamPages();
  const uplinks = new UplinkPages();
  const server = new StatisticsServer(pages, uplinks, KEY);
  let address = '';
  beforeEach(async () => {
    address ||= `http://127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
  });
  afterAll(() => server.stop());
  const read = async (path: string, init?: RequestInit): Promise<{ status: number; body: unknown }> => {
    const response = await fetch(address + path, init);
    return { status: response.status, body: await response.json() };
  };

  test('is what NOALBS reads of an SRT Live Server, of BELABOX cloud and of OpenIRL', async () => {
    pages.onReport({
      groups: [sample('gr_a_1', 'live/feed1', 3_000_400), sample('gr_a_2', 'live/feed1', 1000)],
      uplinks: [],
    });
    const publisher = {
      bitrate: 3000,
      rtt: 42.4,
      uptime: 116,
      latency: 2000,
      dropped_pkts: 0,
      buffer: 0,
      bytesRcvDrop: 0,
      bytesRcvLoss: 0,
      mbpsBandwidth: 0,
      mbpsRecvRate: 3,
      msRcvBuf: 0,
      pktRcvDrop: 0,
      pktRcvLoss: 7,
      peers: [{ bitrate: 3000, rtt: 42.4, jitter: 12.069, share: 1, address: '192.0.2.1:4000' }],
    };
    const { body } = await read(`/stats?key=${KEY}`);
    expect(body).toMatchObject({ publishers: { 'live/feed1': publisher, gr_a_1: publisher, gr_a_2: { bitrate: 1 } } });
    const headers = { authorization: `Bearer ${KEY}` };
    expect(await read('/stats/live/feed1', { headers })).toMatchObject({ status: 200, body: { publisher } });
    expect((await read('/stats/live%2Ffeed1', { headers })).body).toMatchObject({ publisher });
    expect(await read('/stats/other', { headers })).toEqual({ status: 200, body: { status: 'ok' } });

    expect((await read('/stats')).status).toBe(401);
    expect((await read('/stats?key=SESAME')).status).toBe(401);
    expect((await read('/stats', { headers: { authorization: `Basic ${KEY}` } })).status).toBe(401);
    expect((await read('/', { headers })).status).toBe(404);
    expect((await read('/stats/%E0%A4%A', { headers })).status).toBe(404);
    expect((await read('/stats', { method: 'POST', headers })).status).toBe(405);
  });

  test('has uplinks on a page beside it, the second of a name by its id', async () => {
    const of = (uplinkId: string, bitrateBps: number): srtla.UplinkSample =>
      srtla.UplinkSample.fromPartial({
        uplinkId,
        name: 'van',
        statistics: { bitrateBps, resentPackets: 3, links: [{ linkName: 'lte1', bitrateBps, share: 1, rttMs: 42.4 }] },
      });
    uplinks.onReport({ groups: [], uplinks: [of('up_a_1', 3_000_400), of('up_b_1', 0)] });
    expect(await read(`/uplinks?key=${KEY}`)).toMatchObject({
      status: 200,
      body: {
        uplinks: {
          van: {
            id: 'up_a_1',
            bitrate: 3000,
            resent: 3,
            links: [{ name: 'lte1', bitrate: 3000, share: 1, rtt: 42.4 }],
          },
          up_b_1: { id: 'up_b_1', bitrate: 0 },
        },
      },
    });
    expect((await read('/uplinks')).status).toBe(401);
  });
});

test('a stream whose sender has not told its round trip has 0, for readers want a number', () => {
  const pages = new StreamPages();
  pages.onReport({
    groups: [srtla.GroupSample.fromPartial({ ...STANDS, statistics: { links: [{}] } })],
    uplinks: [],
  });
  expect(pages.one('x')).toMatchObject({ publisher: { bitrate: 0, rtt: 0, peers: [{ rtt: 0 }] } });
});

test('of two streams of a name the first is told, but for one that carries nothing any more', () => {
  const pages = new StreamPages();
  pages.onReport({ groups: [sample('gr_a_1', 'x', 0), sample('gr_a_2', 'x', 2_000_000)], uplinks: [] });
  expect(pages.one('x')).toMatchObject({ publisher: { bitrate: 2000 } });
  pages.onReport({ groups: [sample('gr_a_1', 'x', 1_000_000)], uplinks: [] });
  expect(pages.one('x')).toMatchObject({ publisher: { bitrate: 1000 } });
});

test('the address of a link is one that can be pasted, also of IPv6', () => {
  const pages = new StreamPages();
  const links = [{ address: { address: '::1', port: 57_471 } }, { address: { address: '192.0.2.1', port: 4000 } }];
  const group = srtla.GroupSample.fromPartial({ ...STANDS, statistics: { links } });
  pages.onReport({ groups: [group], uplinks: [] });
  expect(pages.one('x')).toMatchObject({
    publisher: { uptime: 0, peers: [{ address: '[::1]:57471' }, { address: '192.0.2.1:4000' }] },
  });
});

test('a stream that has ended is there no more, though its group is', () => {
  const pages = new StreamPages();
  pages.onReport({ groups: [sample('gr_a_1', 'x', 1e6)], uplinks: [] });
  expect(pages.one('x')).toHaveProperty('publisher');
  pages.onReport({ groups: [{ ...sample('gr_a_1', 'x', 0), streamTime: undefined }], uplinks: [] });
  expect(pages.one('x')).toEqual({ status: 'ok' });
});

test('a stream may have any name', () => {
  const pages = new StreamPages();
  pages.onReport({ groups: [sample('gr_a_1', '__proto__', 1000)], uplinks: [] });
  expect(JSON.stringify(pages.all())).toContain('"__proto__":{"bitrate":1');
});

test('a group without a stream is on no page', () => {
  const pages = new StreamPages();
  pages.onReport({ groups: [srtla.GroupSample.fromPartial({ groupId: 'gr_a_1', statistics: {} })], uplinks: [] });
  expect(pages.all()).toEqual({ status: 'ok', publishers: {} });
});
