import { describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { refusedFields } from '@mediaplane/testkit';
import { receiverOptions, validateListener } from './listener-settings.ts';

const INTERFACES = [
  { name: 'default', bindAddress: '127.0.0.1', advertisedAddress: '192.0.2.1' },
  { name: 'inner', bindAddress: '127.0.0.2', advertisedAddress: '127.0.0.2' },
];
const UPSTREAM = { portMin: 30_000, portMax: 31_999 };
type Settings = Parameters<typeof srtla.ListenerSettings.fromPartial>[0];
const server = { host: 'srt.example', port: 5002 };
const fixed = { policy: { $case: 'fixed' as const, value: server } };
const rules = (value: Parameters<typeof srtla.IngestRules.fromPartial>[0]) => ({
  policy: { $case: 'rules' as const, value },
});

const validate = (settings: Settings): srtla.ListenerSettings =>
  validateListener(
    srtla.ListenerSettings.fromPartial({ name: 'main', ingest: fixed, ...settings }),
    INTERFACES,
    UPSTREAM,
  );

const refusedSettings = (settings: Settings): string[] => refusedFields(() => validate(settings));

describe('settings of a listener', () => {
  test('what is left out has its default', () => {
    const settings = validate({});
    expect(settings).toMatchObject({ interface: 'default', limits: { maxGroups: 200, linkTimeoutMs: 15_000 } });
    expect(settings).toMatchObject({ ackCopyIntervalMs: 100, drainingReply: srtla.DrainingReply.SILENCE });
    expect(receiverOptions(settings)).toMatchObject({ ingest: 'pass', padReplies: true, linkTimeoutUs: 15e6 });
    expect(receiverOptions(settings)).toMatchObject({ ackCopyIntervalUs: 100_000, drainingReply: 'silence' });
    const decided = validate({
      ingest: rules({}),
      refuseLateLinks: true,
      noReplyPadding: true,
      ackCopyIntervalMs: 10_000,
      drainingReply: srtla.DrainingReply.NAK,
      limits: { maxGroups: 3 },
    });
    expect(receiverOptions(decided)).toMatchObject({
      ingest: 'decide',
      refuseLateLinks: true,
      padReplies: false,
      ackCopyIntervalUs: 10e6,
      drainingReply: 'nak',
      maxGroups: 3,
    });
  });

  test.each<[string, Settings, string[]]>([
    ['a name in capitals', { name: 'Main' }, ['settings.name']],
    ['a name with a dot, which is a token of keys', { name: 'a.b' }, ['settings.name']],
    ['no name', { name: '' }, ['settings.name']],
    ['an interface that is not configured', { interface: 'outer' }, ['settings.interface']],
    ['a port too high', { port: 65_536 }, ['settings.port']],
    ['the first port towards SRT servers', { port: 30_000 }, ['settings.port']],
    ['the last of them', { port: 31_999 }, ['settings.port']],
    ['no policy', { ingest: {} }, ['settings.ingest']],
    [
      'no server',
      { ingest: { policy: { $case: 'fixed', value: {} } } },
      ['settings.ingest.fixed.host', 'settings.ingest.fixed.port'],
    ],
    [
      'limits',
      { limits: { maxGroups: -1, maxLinksPerGroup: 65, linkTimeoutMs: 999, groupTimeoutMs: 300_001 } },
      [
        'settings.limits.max_groups',
        'settings.limits.max_links_per_group',
        'settings.limits.link_timeout_ms',
        'settings.limits.group_timeout_ms',
      ],
    ],
    ['acknowledgements too often', { ackCopyIntervalMs: 9 }, ['settings.ack_copy_interval_ms']],
    ['acknowledgements too seldom', { ackCopyIntervalMs: 10_001 }, ['settings.ack_copy_interval_ms']],
    ['an answer that does not exist', { drainingReply: 3 as srtla.DrainingReply }, ['settings.draining_reply']],
    ['labels', { labels: { 'A B': '' } }, ['settings.labels']],
    [
      'a rule that says nothing',
      { ingest: rules({ rules: [{ resource: 'x' }] }) },
      ['settings.ingest.rules.rules[0].then'],
    ],
    ['a rule without an action', { ingest: rules({ rules: [{ then: {} }] }) }, ['settings.ingest.rules.rules[0].then']],
    [
      'a pattern too long',
      {
        ingest: rules({
          rules: [
            { user: 'x'.repeat(257), then: { action: { $case: 'server', value: server }, streamName: 'n'.repeat(65) } },
          ],
        }),
      },
      ['settings.ingest.rules.rules[0].user', 'settings.ingest.rules.rules[0].then.stream_name'],
    ],
    [
      '65 rules',
      {
        ingest: rules({
          rules: Array.from({ length: 65 }, () => ({ then: { action: { $case: 'server' as const, value: server } } })),
        }),
      },
      ['settings.ingest.rules.rules'],
    ],
    [
      'a refusal that does not exist',
      { ingest: rules({ withoutStreamId: { action: { $case: 'refuse', value: 99 as srtla.IngestRefusal } } }) },
      ['settings.ingest.rules.without_stream_id.refuse'],
    ],
    [
      'a callback to nobody',
      { ingest: rules({ withoutStreamId: { action: { $case: 'callback', value: {} } } }) },
      ['settings.ingest.rules.without_stream_id.callback'],
    ],
    [
      'a callback on a subject of ours',
      {
        ingest: rules({
          withoutStreamId: {
            action: { $case: 'callback', value: { target: { $case: 'busSubject', value: 'mp.v1.x' } } },
          },
        }),
      },
      ['settings.ingest.rules.without_stream_id.callback.bus_subject'],
    ],
    [
      'a callback on a subject too long',
      {
        ingest: rules({
          withoutStreamId: {
            action: { $case: 'callback', value: { target: { $case: 'busSubject', value: 'x'.repeat(257) } } },
          },
        }),
      },
      ['settings.ingest.rules.without_stream_id.callback.bus_subject'],
    ],
    [
      'a callback without a port',
      {
        ingest: rules({
          withoutStreamId: { action: { $case: 'callback', value: { target: { $case: 'grpcTarget', value: 'host' } } } },
        }),
      },
      ['settings.ingest.rules.without_stream_id.callback.grpc_target'],
    ],
  ])('%s is refused by name', (_what, settings, fields) => {
    expect(refusedSettings(settings)).toEqual(fields);
  });

  test('a port beside those towards SRT servers, or one of the system, is taken', () => {
    for (const port of [0, 29_999, 32_000]) expect(validate({ port })).toMatchObject({ port });
  });

  test('none at all', () => {
    expect(() => validateListener(undefined, INTERFACES, UPSTREAM)).toThrow(/settings: must be there/);
  });
});
