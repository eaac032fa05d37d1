import { describe, expect, test } from '@jest/globals';
import { HELP, UsageError, parseOptions } from './options.ts';

const NEEDED = ['--to', 'receiver.test:5000', '--links', 'links.txt'];

describe('the command line of srtla-send', () => {
  test('needs a receiver and a file of links, and listens on loopback', () => {
    expect(parseOptions(NEEDED)).toEqual({
      listenAddress: '127.0.0.1',
      listenPort: 6000,
      receiverHost: 'receiver.test',
      receiverPort: 5000,
      linksFile: 'links.txt',
      mode: 'enhanced',
      maxBitrateBps: 50e6,
      latencyBudgetUs: 0,
      json: false,
      intervalMs: 10_000,
      registerTimeoutMs: 60_000,
      giveUpMs: 0,
    });
  });

  test('takes everything else', () => {
    const given =
      '--listen [::1]:0 --to [2001:db8::1]:443 --links l --mode classic --max-mbps 8 --profile economy --json';
    const times = '--interval 0 --register-timeout 5 --give-up 1.5';
    expect(parseOptions(`${given} ${times}`.split(' '))).toMatchObject({
      listenAddress: '::1',
      listenPort: 0,
      receiverHost: '2001:db8::1',
      receiverPort: 443,
      mode: 'classic',
      maxBitrateBps: 8e6,
      latencyBudgetUs: 1000,
      json: true,
      intervalMs: 0,
      registerTimeoutMs: 5000,
      giveUpMs: 1500,
    });
  });

  test.each([
    [[], '--to <host:port> is missing'],
    [['--to', 'a:1'], '--links <file> is missing'],
    [['--to', 'a', '--links', 'l'], '--to must be <host>:<port>, is "a"'],
    [['--to', 'a:0', '--links', 'l'], 'the port of --to must be 1 to 65535, is "0"'],
    [['--to', '::1:5000', '--links', 'l'], '--to must be <host>:<port>, is "::1:5000"'],
    [[...NEEDED, '--listen', 'localhost:6000'], '--listen must be <address>:<port> or <port>, is "localhost:6000"'],
    [[...NEEDED, '--listen', '65536'], 'the port of --listen must be 0 to 65535, is "65536"'],
    [[...NEEDED, '--mode', 'best'], '--mode must be classic or enhanced, is "best"'],
    [[...NEEDED, '--profile', 'toString'], '--profile must be latency or economy, is "toString"'],
    [[...NEEDED, '--give-up', '-1'], /give-up/],
    [[...NEEDED, '--max-mbps', '0'], '--max-mbps must be 1 to 1000, is "0"'],
    [[...NEEDED, '--colour'], /colour/],
    [[...NEEDED, 'more'], /more/],
  ])('%j is refused', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });

  test('help tells every exit status, and the file', () => {
    expect(parseOptions(['--help'])).toBeNull();
    for (const code of [0, 1, 2, 3, 4]) expect(HELP).toMatch(new RegExp(`^  ${code}   `, 'm'));
    expect(HELP).toContain('10.64.1.2     name=lte1 cap=20GB');
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThanOrEqual(132);
  });
});
