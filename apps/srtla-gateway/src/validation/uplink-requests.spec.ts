import { describe, expect, test } from '@jest/globals';
import { ServiceError } from '@mediaplane/control';
import { srtla } from '@mediaplane/proto';
import { keyFrameMs, linkChange, uplinkChange, validateUplink } from './uplink-requests.ts';

function refusedFields(work: () => unknown): string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ServiceError) return (error.fieldViolations ?? []).map(({ field }) => field);
    throw error;
  }
  return [];
}

describe('UpdateUplink', () => {
  const change = (partial: Parameters<typeof srtla.UpdateUplinkRequest.fromPartial>[0]) =>
    uplinkChange(srtla.UpdateUplinkRequest.fromPartial(partial));

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
    linkChange(srtla.UpdateLinkRequest.fromPartial(partial));

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

test('CreateUplink and MarkKeyFrames name what is wrong', () => {
  const mode = 9 as srtla.SchedulingMode;
  expect(refusedFields(() => validateUplink(srtla.UplinkSettings.fromPartial({ name: '', mode })))).toEqual([
    'settings.name',
    'settings.mode',
    'settings.receiver_host',
    'settings.receiver_port',
  ]);
  expect(refusedFields(() => validateUplink(undefined))).toEqual(['settings']);
  expect(refusedFields(() => keyFrameMs(0))).toEqual(['duration_ms']);
  expect(refusedFields(() => keyFrameMs(2001))).toEqual(['duration_ms']);
});
