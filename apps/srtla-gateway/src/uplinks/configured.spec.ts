import { expect, test } from '@jest/globals';
import { loadConfig } from '@mediaplane/service';
import { z } from 'zod';
import { checkConfig } from '../check-config.ts';
import { srtlaGatewayConfig } from '../config.ts';
import { configuredUplinks } from './configured.ts';

const GOOD = { name: 'van', receiver: '[2001:db8::1]:5000' };

function uplinksOf(uplinks: object[]): unknown {
  const config = loadConfig(z.strictObject(srtlaGatewayConfig), { values: { uplinks } }, checkConfig);
  return configuredUplinks(config.uplinks, config.upstream);
}

test('an uplink of the configuration has the settings of one that is made by call', () => {
  expect(uplinksOf([{ ...GOOD, links: [{ address: '10.0.0.1', cost: 2 }, { device: 'wwan0' }] }])).toMatchObject([
    {
      name: 'van',
      listenAddress: '127.0.0.1',
      receiverHost: '2001:db8::1',
      receiverPort: 5000,
      links: [
        { address: '10.0.0.1', cost: 2, priority: 1 },
        { device: 'wwan0', cost: 0 },
      ],
    },
  ]);
});

test.each([
  [[GOOD, GOOD], 'uplinks[1].name = "van": is that of uplinks[0] too'],
  [
    [
      { ...GOOD, listenPort: 7000 },
      { ...GOOD, name: 'boat', listenPort: 7000 },
    ],
    'uplinks[1].listenPort',
  ],
  [[{ ...GOOD, listenPort: 30_001 }], 'uplinks[0].listenPort = 30001: must not be one of 30000 to 31999'],
  [[{ ...GOOD, receiver: 'van' }], 'uplinks[0].receiver'],
  [[{ ...GOOD, receiver: 'van:0' }], 'must be 1 to 65535, is 0'],
  [[{ ...GOOD, name: 'Van' }], 'must be 1 to 64 of a-z'],
  [[{ ...GOOD, maxBitrateBps: 5 }], 'must be 1000000 to 1000000000, is 5'],
  [[{ ...GOOD, links: [{}] }], 'an address or a device must be given'],
  [[{ ...GOOD, links: [{ device: 'a' }, { device: 'a' }] }], 'must not be there twice'],
  [[{ ...GOOD, links: [{ address: '10.0.0.300' }] }], 'uplinks[0].links[0].address'],
  [[{ ...GOOD, links: [{ device: 'a', priority: 11 }] }], 'priority'],
])('what is wrong with one is named: %j', (uplinks, complaint) => {
  expect(() => uplinksOf(uplinks)).toThrow(complaint);
});
