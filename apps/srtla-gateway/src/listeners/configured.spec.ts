import { describe, expect, test } from '@jest/globals';
import { srtla } from '@mediaplane/proto';
import { loadConfig } from '@mediaplane/service';
import { z } from 'zod';
import { srtlaGatewayConfig } from '../config.ts';
import { configuredListeners } from './configured.ts';

const INTERFACES = [{ name: 'default', bindAddress: '127.0.0.1', advertisedAddress: '127.0.0.1' }];

function listenersOf(listeners: object[]): srtla.ListenerSettings[] {
  const config = loadConfig(z.strictObject(srtlaGatewayConfig), { values: { listeners } });
  return configuredListeners(config.listeners, INTERFACES, config.upstream);
}

describe('listeners of the configuration', () => {
  test('none', () => {
    expect(listenersOf([])).toEqual([]);
  });

  test('with one server, and with rules', () => {
    const [fixed, ruled] = listenersOf([
      { name: 'main', port: 5000, server: '[2001:db8::1]:5002' },
      {
        name: 'studio',
        rules: [
          { resource: 'live/*', server: 'srt:5002', streamName: '{resource}' },
          { user: 'eve', refuse: 'forbidden' },
        ],
        withoutStreamId: { callbackGrpc: 'auth:7000' },
        maxGroups: 5,
        ackCopyIntervalMs: 20,
        drainingReply: 'nak',
      },
    ]);
    expect(fixed).toMatchObject({ ackCopyIntervalMs: 100, drainingReply: srtla.DrainingReply.SILENCE });
    expect(ruled).toMatchObject({ ackCopyIntervalMs: 20, drainingReply: srtla.DrainingReply.NAK });
    expect(fixed.ingest?.policy).toEqual({ $case: 'fixed', value: { host: '2001:db8::1', port: 5002 } });
    expect(ruled.limits?.maxGroups).toBe(5);
    expect(ruled.ingest?.policy).toMatchObject({
      $case: 'rules',
      value: {
        rules: [
          { resource: 'live/*', then: { action: { $case: 'server', value: { host: 'srt', port: 5002 } } } },
          { user: 'eve', then: { action: { $case: 'refuse', value: srtla.IngestRefusal.FORBIDDEN } } },
        ],
        withoutStreamId: { action: { $case: 'callback', value: { target: { value: 'auth:7000' } } } },
      },
    });
  });

  test.each([
    [
      [
        { name: 'a', server: 'x:1' },
        { name: 'a', server: 'x:1' },
      ],
      /listeners\[1\]\.name: is that of listeners\[0\]/,
    ],
    [
      [
        { name: 'a', port: 5000, server: 'x:1' },
        { name: 'b', port: 5000, server: 'x:1' },
      ],
      /listeners\[1\]\.port: is that of listeners\[0\]/,
    ],
    [[{ name: 'a', port: 30_001, server: 'x:1' }], /listeners\[0\]\.port: must not be one of 30000 to 31999/],
    [[{ name: 'a', port: 5000 }], /listeners\[0\]\.server: must be set/],
    [[{ name: 'a', server: 'x:1', withoutStreamId: { refuse: 'forbidden' } }], /withoutStreamId: must be empty/],
    [[{ name: 'a', server: 'x' }], /listeners\[0\]\.server: must be host:port, is "x"/],
    [[{ name: 'a', server: 'x:1', rules: [{ server: 'x:1' }] }], /must be empty where there are rules/],
    [
      [{ name: 'a', rules: [{ server: 'x:1', refuse: 'forbidden' }] }],
      /listeners\[0\]\.rules\[0\]: must have one of server, refuse, callbackGrpc, callbackSubject, has server and refuse/,
    ],
    [
      [{ name: 'a', rules: [{ server: 'x:1' }, { refuse: 'never' }] }],
      /listeners\[0\]\.rules\[1\]\.refuse: must be unauthorized or forbidden, is "never"/,
    ],
    [[{ name: 'a', rules: [{}] }], /listeners\[0\]\.rules\[0\]: must have one of server, refuse, .*, has none/],
    [
      [{ name: 'a', server: 'x:1', ackCopyIntervalMs: 9 }],
      /listeners\[0\]\.ackCopyIntervalMs: must be 10 to 10000 ms, is 9/,
    ],
    [[{ name: 'a', server: 'x:1', linkTimeoutMs: 1 }], /listeners\[0\]\.linkTimeoutMs: must be 1000 to 60000 ms, is 1/],
    [
      [{ name: 'A', port: 5000, server: '_:0' }],
      /configuration: listeners\[0\]\.name: must be .*; listeners\[0\]\.server: must be/,
    ],
    [[{ name: 'a', server: '_:0' }], /listeners\[0\]\.server: must be 1 to 65535, is 0/],
    [[{ name: 'a', rules: [{ server: 'x' }] }], /listeners\[0\]\.rules\[0\]\.server: must be host:port, is "x"/],
    [[{ name: 'a', rules: [{ server: 'x:0' }] }], /listeners\[0\]\.rules\[0\]\.server: must be 1 to 65535, is 0/],
    [[{ name: 'a', rules: [{ callbackGrpc: 'x' }] }], /listeners\[0\]\.rules\[0\]\.callbackGrpc: must be host:port/],
    [
      [{ name: 'a', withoutStreamId: { callbackSubject: 'mp.v1.x' } }],
      /listeners\[0\]\.withoutStreamId\.callbackSubject: must be a subject/,
    ],
    [[{ name: 'A', server: 'x:1' }], /name: must be/],
    [[{ name: 'a', server: 'x:1', interface: 'outer' }], /interface: must be one of default/],
  ])('%j stops the start', (listeners, message) => {
    expect(() => listenersOf(listeners)).toThrow(message);
  });
});
