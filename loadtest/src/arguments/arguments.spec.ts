import { describe, expect, test } from '@jest/globals';
import { parseArguments } from './arguments.ts';
import { UsageError } from './values.ts';

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
    expect(parseArguments(['rtp-churn'])).toMatchObject({ channels: 64 });
    expect(parseArguments(['bus-command'])).toMatchObject({ channels: 1 });
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

  test('srtla: a scenario alone has defaults, and every option', () => {
    const common = { seconds: 10, runs: 1, json: false };
    expect(parseArguments(['srtla-bonded'])).toEqual({
      scenario: 'srtla-bonded',
      packetsPerSecond: 10_000,
      links: 2,
      groups: 1,
      pace: 'even',
      profile: 'latency',
      warmUpSeconds: 10,
      peer: null,
      ...common,
    });
    const line =
      'srtla-receive --pps 95 --links 4 --groups 200 --pace burst --profile economy --warm-up 3 --peer ../pair';
    expect(parseArguments(line.split(' '))).toEqual({
      scenario: 'srtla-receive',
      packetsPerSecond: 95,
      links: 4,
      groups: 200,
      pace: 'burst',
      profile: 'economy',
      warmUpSeconds: 3,
      peer: '../pair',
      ...common,
      runs: 5,
    });
  });

  test('srtla-failover: everything that can happen by default, or one thing', () => {
    const all = parseArguments(['srtla-failover']);
    expect(all).toMatchObject({ packetsPerSecond: 1000, seconds: 12, runs: 1, latencyMs: 0, peer: null });
    const names = 'events' in all ? all.events.map(({ name }) => name) : [];
    expect(names).toEqual(expect.arrayContaining(['none', 'two-way', 'link-down', 'receiver-stall', 'restart']));
    const line = 'srtla-failover --event flap --pps 5000 --seconds 20 --latency 500 --peer ../pair --runs 2';
    expect(parseArguments(line.split(' '))).toMatchObject({
      events: [{ name: 'flap' }],
      packetsPerSecond: 5000,
      seconds: 20,
      latencyMs: 500,
      peer: '../pair',
      runs: 2,
    });
  });

  test.each([
    ['srtla-failover --event fire', '--event fire: must be one of all, none, two-way'],
    ['srtla-failover --seconds 8', '--seconds 8: must be a whole number from 9 to 600'],
    ['srtla-failover --pps 10000 --seconds 101', 'at most 1000000 packets in all'],
    ['srtla-failover --latency 10', '--latency 10: must be a whole number from 20 to 8000'],
    ['srtla-failover --links 3', 'srtla-failover has no --links'],
    ['srtla-send --event flap', 'srtla-send has no --event'],
    ['rtp-echo --latency 20', 'rtp-echo has no --latency'],
    ['srtla-send --groups 2', 'srtla-send has one'],
    ['srtla-send --links 17', '--links 17: must be a whole number from 1 to 16'],
    ['srtla-send --pace slow', '--pace slow: must be one of even, burst'],
    ['srtla-send --profile fast', '--profile fast: must be one of latency, economy'],
    ['srtla-receive --pps 100000 --groups 3', 'at most 200000 packets a second in all'],
    ['srtla-send --channels 3', 'srtla-send has no --channels'],
    ['rtp-echo --links 3', 'rtp-echo has no --links'],
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
