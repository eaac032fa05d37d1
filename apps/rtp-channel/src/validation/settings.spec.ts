import { describe, expect, test } from '@jest/globals';
import { ChannelSettings, Direction, LatchMode } from '@mediaplane/proto';
import { Violations } from '@mediaplane/service';
import { refusedFields } from '@mediaplane/testkit';
import { DEFAULT_CODECS } from './codecs.ts';
import type { SettingsRules } from './settings.ts';
import { mediaSettings, normaliseSettings } from './settings.ts';
import { updateSettings } from './settings-update.ts';

const RULES: SettingsRules = {
  interfaces: new Map([
    ['public', 4],
    ['six', 6],
  ]),
  idle: { rtpTimeoutMs: 20_000, noRemoteTimeoutMs: 3_600_000, holdTimeoutMs: 7_200_000 },
};

type Input = Parameters<typeof ChannelSettings.fromPartial>[0];

function normalise(input: Input): ChannelSettings {
  const violations = new Violations();
  const settings = normaliseSettings(ChannelSettings.fromPartial(input), 'settings', RULES, violations);
  violations.throwIfAny();
  return settings;
}

const codec = (payloadType: number, encodingName: string) => ({ payloadType, encodingName });

describe('settings of a new channel', () => {
  test('defaults are filled in, and shared', () => {
    const settings = normalise({});
    expect(settings).toEqual({
      remote: undefined,
      codecs: DEFAULT_CODECS,
      direction: Direction.SENDRECV,
      echo: false,
      latch: { mode: LatchMode.LEARN_ONCE, windowMs: 3000 },
      labels: {},
      maxDurationMs: 0,
      idle: RULES.idle,
      controllerLeaseMs: 0,
      interface: 'public',
    });
    expect(settings.codecs).toBe(DEFAULT_CODECS);
  });

  test('what the media thread gets', () => {
    const settings = normalise({
      remote: { address: '192.0.2.1', rtpPort: 4000 },
      codecs: { receive: [codec(96, 'pcma'), codec(100, 'Telephone-Event')] },
      direction: Direction.RECVONLY,
      latch: { mode: LatchMode.ROAMING, windowMs: 0 },
      idle: { rtpTimeoutMs: 0 },
    });
    expect(settings.remote).toEqual({ address: '192.0.2.1', rtpPort: 4000, rtcpPort: 4001 });
    expect(mediaSettings(settings)).toMatchObject({
      remoteRtp: { w2: 0xffff, w3: 0xc0000201 | 0, port: 4000 },
      remoteRtcp: { port: 4001 },
      formats: {
        send: { payloadType: 96, codec: 'PCMA', ptimeMs: 20 },
        sendDtmfPayloadType: 100,
        receive: [{ payloadType: 96, codec: 'PCMA' }],
        receiveDtmfPayloadTypes: [100],
      },
      sends: false,
      receives: true,
      latchMode: 'roaming',
      latchWindowMs: 0,
      rtpTimeoutMs: 0,
      noRemoteTimeoutMs: 3_600_000,
    });
  });

  const remote = (address: string, rtpPort = 4000, rtcpPort = 0): Input => ({ remote: { address, rtpPort, rtcpPort } });
  test.each<[string, Input, string[]]>([
    ['a name', remote('localhost'), ['remote.address']],
    ['no address', remote(''), ['remote.address']],
    ['a shortened IPv4', remote('127.1'), ['remote.address']],
    ['a zone', { ...remote('fe80::1%eth0'), interface: 'six' }, ['remote.address']],
    ['the unspecified address', remote('0.0.0.0'), ['remote.address']],
    ['the unspecified IPv6 address', { ...remote('::'), interface: 'six' }, ['remote.address']],
    ['multicast', remote('239.1.1.1'), ['remote.address']],
    ['IPv6 multicast', { ...remote('ff02::1'), interface: 'six' }, ['remote.address']],
    ['the other family', remote('2001:db8::1'), ['remote.address']],
    ['IPv4 on an IPv6 interface', { ...remote('192.0.2.1'), interface: 'six' }, ['remote.address']],
    ['port 0', remote('192.0.2.1', 0), ['remote.rtp_port']],
    ['port 65536', remote('192.0.2.1', 65536), ['remote.rtp_port', 'remote.rtcp_port']],
    ['no room for RTCP', remote('192.0.2.1', 65535), ['remote.rtcp_port']],
    ['one port for both', remote('192.0.2.1', 4000, 4000), ['remote.rtcp_port']],
    ['an interface that is not there', { interface: 'x' }, ['interface']],
    ['an unknown direction', { direction: 9 as Direction }, ['direction']],
    ['a negative direction', { direction: -1 }, ['direction']],
    ['an unknown latch mode', { latch: { mode: 7 as LatchMode } }, ['latch.mode']],
    ['a long window', { latch: { windowMs: 60_001 } }, ['latch.window_ms']],
    ['a negative window', { latch: { windowMs: -1 } }, ['latch.window_ms']],
    ['a negative duration', { maxDurationMs: -1 }, ['max_duration_ms']],
    ['more than a timer can wait', { maxDurationMs: 2 ** 31 }, ['max_duration_ms']],
    [
      'idle rules',
      { idle: { rtpTimeoutMs: -1, holdTimeoutMs: 604_800_001 } },
      ['idle.rtp_timeout_ms', 'idle.hold_timeout_ms'],
    ],
    ['a short lease', { controllerLeaseMs: 999 }, ['controller_lease_ms']],
    ['a label key', { labels: { 'A b': 'x' } }, ['labels']],
    ['a label value', { labels: { a: 'x'.repeat(256) } }, ['labels["a"]']],
    ['33 labels', { labels: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`k${i}`, ''])) }, ['labels']],
    ['no codec', { codecs: { receive: [] } }, ['codecs.receive']],
    ['17 codecs', { codecs: { receive: Array.from({ length: 17 }, (_, i) => codec(i, 'PCMU')) } }, ['codecs.receive']],
    ['a codec not offered', { codecs: { receive: [codec(9, 'G722')] } }, ['codecs.receive[0].encoding_name']],
    ['an RTCP-like type', { codecs: { receive: [codec(72, 'PCMU')] } }, ['codecs.receive[0].payload_type']],
    ['type 128', { codecs: { receive: [codec(128, 'PCMU')] } }, ['codecs.receive[0].payload_type']],
    ['a type twice', { codecs: { receive: [codec(0, 'PCMU'), codec(0, 'PCMA')] } }, ['codecs.receive[1].payload_type']],
    ['digits only', { codecs: { receive: [codec(101, 'telephone-event')] } }, ['codecs.receive']],
    [
      'a wrong clock, channels, fmtp and ptime',
      {
        codecs: {
          receive: [{ ...codec(0, 'PCMU'), clockRateHz: 16_000, channels: 2, ptimeMs: 25, fmtp: 'x'.repeat(256) }],
        },
      },
      [
        'codecs.receive[0].clock_rate_hz',
        'codecs.receive[0].channels',
        'codecs.receive[0].fmtp',
        'codecs.receive[0].ptime_ms',
      ],
    ],
    [
      'roles mixed up',
      { codecs: { send: codec(101, 'telephone-event'), sendDtmf: codec(0, 'PCMU'), receive: [codec(0, 'PCMU')] } },
      ['codecs.send.encoding_name', 'codecs.send_dtmf.encoding_name'],
    ],
    [
      'one type for audio and digits',
      { codecs: { sendDtmf: codec(0, 'telephone-event'), receive: [codec(0, 'PCMU')] } },
      ['codecs.send_dtmf.payload_type'],
    ],
  ])('%s is refused by name', (_what, input, fields) => {
    expect(refusedFields(() => normalise(input))).toEqual(fields.map((field) => `settings.${field}`));
  });

  test('every violation is named at once', () => {
    const fields = refusedFields(() => normalise({ ...remote('x', 0), controllerLeaseMs: 1 }));
    expect(fields).toEqual(['settings.remote.address', 'settings.remote.rtp_port', 'settings.controller_lease_ms']);
  });
});

describe('UpdateChannel', () => {
  const current = normalise({ labels: { a: '1' }, controllerLeaseMs: 5000, echo: true, ...remoteOf('192.0.2.1') });
  const update = (settings: Input | undefined, updateMask?: string[]) =>
    updateSettings(
      current,
      { settings: settings === undefined ? undefined : ChannelSettings.fromPartial(settings), updateMask },
      RULES,
    );

  function remoteOf(address: string): Input {
    return { remote: { address, rtpPort: 4000 } };
  }

  test('without a mask: what is set', () => {
    const { settings, paths } = update({ labels: { b: '2' } });
    expect(paths).toEqual(['labels']);
    expect(settings).toEqual({ ...current, labels: { b: '2' } });
  });

  test('a masked field that is absent becomes its default', () => {
    const { settings, paths } = update({}, ['echo', 'remote']);
    expect(paths).toEqual(['remote', 'echo']);
    expect(settings).toEqual({ ...current, remote: undefined, echo: false });
  });

  test('* is everything but the interface', () => {
    const { settings, paths } = update({ direction: Direction.INACTIVE }, ['*']);
    expect(paths).toHaveLength(9);
    expect(settings).toEqual({ ...normalise({ direction: Direction.INACTIVE }) });
  });

  test('the lease is renewed by a mask alone, and ended by a zero', () => {
    expect(update(undefined, ['controller_lease_ms'])).toEqual({ settings: current, paths: [] });
    expect(update({}, ['controller_lease_ms']).settings.controllerLeaseMs).toBe(0);
    expect(update(undefined)).toEqual({ settings: current, paths: [] });
  });

  test('bad masks and the fixed interface', () => {
    expect(refusedFields(() => update({}, ['nonsense']))).toEqual(['update_mask']);
    expect(refusedFields(() => update({}, ['latch.mode']))).toEqual(['update_mask']);
    expect(refusedFields(() => update({}, ['interface']))).toEqual(['update_mask']);
    expect(refusedFields(() => update({}, ['*', 'echo']))).toEqual(['update_mask']);
    expect(refusedFields(() => update({ interface: 'six' }))).toEqual(['settings.interface']);
    expect(update({ interface: 'public' }).paths).toEqual([]);
  });

  test('values are checked as at opening', () => {
    expect(refusedFields(() => update(remoteOf('2001:db8::1')))).toEqual(['settings.remote.address']);
  });
});
