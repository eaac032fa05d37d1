import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { TestProcess, findSystemBinary } from '@mediaplane/testkit';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const TIMEOUT_MS = 60_000;

/** Standard output of a load test; progress goes elsewhere. Rejects when it fails, with what it printed. */
async function loadTest(line: string): Promise<string> {
  const args = ['--disable-warning=ExperimentalWarning', MAIN, ...line.split(' ')];
  return (await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS })).stdout;
}

/** Asks until the answer is good, or for ten seconds; the last answer. */
async function until<T>(ask: () => T, isGood: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + 10_000;
  let answer = ask();
  for (; !isGood(answer) && performance.now() < deadline; answer = ask()) await sleep(20);
  return answer;
}

function childrenOf(pid: number): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '');
}

const duration = { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number), max: expect.any(Number) };
const figures = {
  latencyMs: duration,
  cpuPercentOfCore: { total: expect.any(Number), aboveEmpty: expect.any(Number) },
  cpuMicrosPerPacket: expect.any(Number),
  rssPerChannelBytes: null,
  generatorLate: expect.any(Boolean),
};

/** On a busy machine a late generator leaves packets unsent; those it sent must come back. */
function expectAllBack(result: { sent: number; received: number; lostPercent: number }): void {
  expect(result.sent).toBeGreaterThan(0);
  expect(result.received).toBe(result.sent);
  expect(result.lostPercent).toBe(0);
}

describe('rtp-echo', () => {
  test(
    'ten channels of rtp-channel lose nothing',
    async () => {
      const result = JSON.parse(await loadTest('rtp-echo --channels 10 --seconds 1 --json'));
      expect(result).toMatchObject({ scenario: 'rtp-echo', engine: 'ours', channels: 10, seconds: 1, ...figures });
      expectAllBack(result);
    },
    TIMEOUT_MS,
  );

  test(
    'a comparison has medians of each engine and ratios',
    async () => {
      const line = 'rtp-echo --engine bare --peer bare --channels 4 --seconds 1 --runs 1';
      const { engines, ratios } = JSON.parse(await loadTest(`${line} --json`));
      expect(engines.map(({ engine }: { engine: string }) => engine)).toEqual(['bare', 'bare', 'bare-immediate']);
      expect(Object.keys(ratios)).toEqual(['bare', 'bare-immediate']);
      for (const { runs } of engines) expectAllBack(runs[0]);
    },
    TIMEOUT_MS,
  );
});

describe('srtla', () => {
  test.each(['srtla-receive --groups 3', 'srtla-send', 'srtla-bonded'])(
    '%s loses nothing',
    async (scenario) => {
      const result = JSON.parse(await loadTest(`${scenario} --pps 300 --warm-up 1 --seconds 1 --json`));
      expect(result).toMatchObject({ engine: 'ours', ...figures });
      expectAllBack(result);
      expect(result.details).toMatchObject({ missing: 0, links: 2, cpuSecondsPerMillionPackets: expect.any(Number) });
    },
    TIMEOUT_MS,
  );

  test('a peer that is not there: one line, status 1', async () => {
    await expect(loadTest('srtla-send --peer /nowhere')).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('/nowhere has no srtla_send and no srtla_rec'),
    });
  });
});

// A peer, not something that tests need: without it there is nothing to compare with, also with CI=true.
(findSystemBinary('rtpengine') === null ? describe.skip : describe)('rtp-relay on rtpengine', () => {
  test(
    'what phone A sends comes back from phone B',
    async () => {
      const result = JSON.parse(await loadTest('rtp-relay --engine rtpengine --channels 4 --seconds 1 --json'));
      expect(result).toMatchObject({ scenario: 'rtp-relay', engine: 'rtpengine', ...figures });
      expectAllBack(result);
    },
    TIMEOUT_MS,
  );
});

describe('its end', () => {
  test(
    'Ctrl-C ends engine and generator too',
    async () => {
      await using running = await TestProcess.startNode(MAIN, {
        args: ['rtp-echo', '--engine', 'bare', '--channels', '4', '--seconds', '60'],
      });
      const children = await until(
        () => childrenOf(running.pid),
        (pids) => pids.length === 2,
      );
      expect(children).toHaveLength(2);
      running.signal('SIGINT');
      expect(await running.exited).toMatchObject({ code: 130 });
      const left = await until(
        () => children.filter((pid) => existsSync(`/proc/${pid}`)),
        (pids) => pids.length === 0,
      );
      expect(left).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test('bad arguments: usage on standard error, status 2', async () => {
    await expect(loadTest('rtp-echo --channels none')).rejects.toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--channels none: must be a whole number'),
    });
  });
});
