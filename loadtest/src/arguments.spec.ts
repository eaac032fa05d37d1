import { describe, expect, test } from '@jest/globals';
import { UsageError, parseArguments } from './arguments.ts';

describe('parseArguments', () => {
  test('a scenario alone has defaults', () => {
    expect(parseArguments(['rtp-echo'])).toEqual({
      scenario: 'rtp-echo',
      engine: 'ours',
      peer: null,
      channels: 1000,
      seconds: 10,
      threads: 1,
      runs: 1,
      json: false,
    });
  });

  test('a comparison makes five runs of each', () => {
    expect(parseArguments(['rtp-relay', '--peer', 'rtpengine'])).toMatchObject({ peer: 'rtpengine', runs: 5 });
  });

  test('calls under way at once are few by default', () => {
    expect(parseArguments(['rtp-churn']).channels).toBe(64);
    expect(parseArguments(['bus-command']).channels).toBe(1);
  });

  test('every option', () => {
    const argv = 'rtp-relay --channels 20 --seconds 3 --threads 2 --peer bare --runs 7 --engine rtpengine --json'.split(
      ' ',
    );
    expect(parseArguments(argv)).toEqual({
      scenario: 'rtp-relay',
      engine: 'rtpengine',
      peer: 'bare',
      channels: 20,
      seconds: 3,
      threads: 2,
      runs: 7,
      json: true,
    });
  });

  test.each([
    ['', 'name one scenario: rtp-idle, rtp-echo'],
    ['rtp-echo rtp-relay', 'name one scenario'],
    ['rtp-eco', 'scenario rtp-eco: must be one of rtp-idle'],
    ['rtp-echo --channels 0', '--channels 0: must be a whole number from 1 to 10000'],
    ['rtp-echo --channels 1e3', '--channels 1e3: must be'],
    ['rtp-echo --seconds 0.5', '--seconds 0.5: must be'],
    ['rtp-echo --seconds 601', '--seconds 601: must be'],
    ['rtp-echo --threads 65', '--threads 65: must be'],
    ['rtp-echo --runs 51', '--runs 51: must be'],
    ['rtp-idle --channels 3334', '--channels 3334: must be a whole number from 1 to 3333'],
    ['rtp-relay --channels 3', 'even'],
    ['rtp-idle --channels 3 --peer rtpengine', 'even'],
    ['rtp-echo --peer janus', '--peer janus: must be one of bare, rtpengine'],
    ['rtp-echo --peer rtpengine', 'rtp-echo cannot be compared with rtpengine, only with bare'],
    ['rtp-churn --peer bare', 'rtp-churn cannot be compared with bare'],
    ['bus-command --engine bare', 'bus-command cannot be run with --engine bare'],
    ['rtp-echo --chanels 5', '--chanels'],
    ['rtp-echo --channels', '--channels'],
  ])('"%s" is refused', (line, message) => {
    const parsing = (): unknown => parseArguments(line.split(' ').filter((word) => word !== ''));
    expect(parsing).toThrow(UsageError);
    expect(parsing).toThrow(message);
  });
});
