import { describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { refusedFields } from '@mediaplane/testkit';
import { keyFrameMs, linkChange, uplinkChange, validateUplink } from './uplink-requests.ts';

const UPSTREAM = { portMin: 30_000, portMax: 31_999 };
const LTE = { name: 'lte', device: 'wwan0', priority: 1 };
const PRESENT = srtla.Uplink.fromPartial({
  settings: { name: 'van', listenAddress: '127.0.0.1', maxBitrateBps: 50_000_000, links: [LTE] },
  listen: { address: '127.0.0.1', port: 6000 },
  links: [{ settings: LTE }],
});

describe('UpdateUplink', () => {
  const change = (partial: Parameters<typeof srtla.UpdateUplinkRequest.fromPartial>[0]) =>
    uplinkChange(srtla.UpdateUplinkRequest.fromPartial(partial), PRESENT);

  test('without a mask: what is set', () => {
    expect(change({ settings: { receiverPort: 5000 } })).toEqual({ change: { receiverPort: 5000 }, labels: undefined });
    expect(change({})).toEqual({ change: {}, labels: undefined });
  });

  test('with one: what it names, also where that is empty', () => {
    expect(change({ settings: { receiverHost: 'x' }, updateMask: ['mode', 'labels'] })).toEqual({
      change: { mode: 'enhanced' },
      labels: {},
    });
    const settings = { receiverHost: 'x', receiverPort: 5000 };
    expect(Object.keys(change({ settings, updateMask: ['*'] }).change)).toEqual([
      'receiverHost',
      'receiverPort',
      'mode',
    ]);
  });

  test('what is fixed may be sent as it was read, and is refused when it differs, unless a mask leaves it out', () => {
    const asRead = { ...PRESENT.settings, listenPort: 6000, mode: srtla.SchedulingMode.CLASSIC };
    expect(change({ settings: asRead }).change).toEqual({ mode: 'classic' });
    const other = { name: 'bus', listenAddress: '::1', listenPort: 6001, maxBitrateBps: 2e6, links: [{ device: 'x' }] };
    for (const updateMask of [undefined, ['*']]) {
      expect(refusedFields(() => change({ settings: { ...asRead, ...other }, updateMask }))).toEqual(
        expect.arrayContaining([
          'settings.name',
          'settings.listen_address',
          'settings.listen_port',
          'settings.max_bitrate_bps',
          'settings.links',
        ]),
      );
    }
    expect(change({ settings: other, updateMask: ['mode'] }).change).toEqual({ mode: 'enhanced' });
  });

  test('a path that cannot change is refused', () => {
    const settings = { receiverPort: 70_000, mode: 9 as srtla.SchedulingMode };
    expect(refusedFields(() => change({ settings, updateMask: ['listen_port', 'receiver_port'] }))).toEqual([
      'update_mask',
      'settings.mode',
      'settings.receiver_port',
    ]);
  });
});

describe('UpdateLink', () => {
  const change = (partial: Parameters<typeof srtla.UpdateLinkRequest.fromPartial>[0]) =>
    linkChange(srtla.UpdateLinkRequest.fromPartial({ linkName: 'lte', ...partial }), PRESENT);

  test('what is fixed may be sent as it was read, and is refused when it differs, unless a mask leaves it out', () => {
    expect(change({ link: { ...LTE, priority: 2 } })).toEqual({ priority: 2 });
    const other = { name: 'wifi', device: 'wlan0', address: '10.0.0.1', cost: 3 };
    for (const updateMask of [undefined, ['*']]) {
      expect(refusedFields(() => change({ link: other, updateMask }))).toEqual([
        'link.name',
        'link.address',
        'link.device',
      ]);
    }
    expect(change({ link: other, updateMask: ['cost'] })).toEqual({ cost: 3 });
  });

  test('names what it changes', () => {
    expect(change({ link: { priority: 2 } })).toEqual({ priority: 2 });
    expect(change({ link: { disabled: true } })).toEqual({ enabled: false });
    expect(change({ updateMask: ['disabled', 'cost'] })).toEqual({ enabled: true, cost: 0 });
    expect(change({ updateMask: ['*'] })).toEqual({
      priority: 1,
      cost: 0,
      enabled: true,
      maxBitrateBps: 0,
      capBytes: 0,
    });
    expect(refusedFields(() => change({ updateMask: ['name'] }))).toEqual(['update_mask']);
  });
});

test('CreateUplink takes no port of those towards SRT servers', () => {
  const validate = (listenPort: number): srtla.UplinkSettings => {
    const settings = { name: 'van', receiverHost: 'x', receiverPort: 5000, listenPort };
    return validateUplink(srtla.UplinkSettings.fromPartial(settings), UPSTREAM);
  };
  for (const port of [30_000, 31_999]) expect(refusedFields(() => validate(port))).toEqual(['settings.listen_port']);
  expect(() => validate(30_001)).toThrow('must not be one of 30000 to 31999');
  for (const port of [0, 29_999, 32_000]) expect(validate(port).listenPort).toBe(port);
});

test('CreateUplink and MarkKeyFrames name what is wrong', () => {
  const mode = 9 as srtla.SchedulingMode;
  expect(refusedFields(() => validateUplink(srtla.UplinkSettings.fromPartial({ name: '', mode }), UPSTREAM))).toEqual([
    'settings.name',
    'settings.mode',
    'settings.receiver_host',
    'settings.receiver_port',
  ]);
  expect(refusedFields(() => validateUplink(undefined, UPSTREAM))).toEqual(['settings']);
  expect(refusedFields(() => keyFrameMs(0))).toEqual(['duration_ms']);
  expect(refusedFields(() => keyFrameMs(2001))).toEqual(['duration_ms']);
});
