import { execFile } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify, stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { checkWav, tempFolder, TestProcess } from '@mediaplane/testkit';

const APP = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(APP, 'dist', 'main.js');
const CALL = join(APP, 'src', 'call', 'main.ts');
const BUF = fileURLToPath(new URL('../../../node_modules/@bufbuild/buf/bin/buf', import.meta.url));
const FREE_PORTS = { MEDIAPLANE_GRPC_PORT: '0', MEDIAPLANE_ADMIN_PORT: '0' };
/** The call takes 8 s by itself, the stream 7; the machine may be busy. */
const RUN_MS = 90_000;

const run = promisify(execFile);

/** The built standalone, working in a folder of its own. */
function standalone(cwd: string, ...args: string[]): Promise<TestProcess> {
  return TestProcess.startNode(MAIN, { args, cwd, env: FREE_PORTS });
}

/** The columns of a row of the report's table. */
function cells(lines: readonly string[], name: string): string[] {
  const row = lines.find((line) => line.trim().startsWith(name)) ?? '';
  return row.trim().slice(name.length).trim().split(/ {2,}/);
}

beforeAll(async () => {
  await run(process.execPath, ['../../tools/build-app.mjs'], { cwd: APP });
});

describe('--once', () => {
  test(
    'places a call, lets a link of a bonded stream die, tells what came of it, and ends with 0',
    async () => {
      await using folder = await tempFolder('standalone');
      await using started = await standalone(folder.path, '--once');
      const { code } = await started.exited;
      const lines = started.lines.map(stripVTControlCharacters);
      expect({ code, failed: lines.filter((line) => line.includes('✗')) }).toEqual({ code: 0, failed: [] });

      expect(cells(lines, 'digits sent')).toEqual(['15#', '42*']);
      expect(cells(lines, 'digits heard')).toEqual(['42*', '15#']);
      expect(lines).toContainEqual(expect.stringMatching(/✓ 0 of \d{4} packets lost$/));
      expect(Number(cells(lines, 'packets it sent')[0])).toBeGreaterThan(300);
      for (const heard of ['phone A heard the prompt', 'phone B heard what A said', 'phone A heard what B said']) {
        expect(lines).toContainEqual(expect.stringContaining(`✓ ${heard}`));
      }
      expect(lines).toContainEqual(expect.stringMatching(/at least about [\d,]+ channels/));
      expect(lines).toContainEqual(expect.stringMatching(/✓ 0 of [\d,]{5,} packets lost, though modem-1 died/));
      expect(lines).toContainEqual(expect.stringContaining('✓ 0 continuity errors'));
      expect(cells(lines, 'at the end')[0]).not.toBe('up');

      const recordings = join(folder.path, 'recordings');
      const files = (await readdir(recordings, { recursive: true })).filter((name) => name.endsWith('.wav')).toSorted();
      expect(files).toEqual([expect.stringMatching(/leg-a\.wav$/), expect.stringMatching(/leg-b\.wav$/)]);
      for (const file of files) {
        const { channels, durationMs, unclaimedBytes } = checkWav(await readFile(join(recordings, file)));
        expect(channels).toHaveLength(2);
        expect(durationMs).toBeGreaterThan(6000);
        expect(unclaimedBytes).toBe(0);
        expect(lines).toContainEqual(expect.stringContaining(file));
      }
      const log = await readFile(join(folder.path, '.cache', 'standalone.log'), 'utf8');
      expect(log).toContain('"msg":"serving"');
    },
    RUN_MS,
  );

  test(
    'a recordings folder that cannot be is said in one line, and ends with 1',
    async () => {
      await using folder = await tempFolder('standalone');
      const file = join(folder.path, 'a-file');
      await writeFile(file, '');
      await using started = await standalone(folder.path, '--once', '--recordings', join(file, 'recordings'));
      const { code } = await started.exited;
      expect(code).toBe(1);
      const failed = started.lines.map(stripVTControlCharacters).filter((line) => line.includes('✗'));
      expect(failed).toEqual([
        expect.stringMatching(/✗ recording of leg A: FAILED_PRECONDITION RECORDING_UNAVAILABLE: .*ENOTDIR/),
        expect.stringMatching(/✗ recording of leg B: FAILED_PRECONDITION RECORDING_UNAVAILABLE: .*ENOTDIR/),
        expect.stringContaining('Not everything went well'),
      ]);
      // The call itself went on.
      expect(started.lines).toContainEqual(expect.stringContaining('✓ phone B heard what A said'));
    },
    RUN_MS,
  );
});

test(
  'serves until a signal comes, and our own client reaches it',
  async () => {
    await using folder = await tempFolder('standalone');
    await using started = await standalone(folder.path);
    const serving = await started.waitForLine(/^Serving on /, { timeoutMs: RUN_MS });
    const address = /Serving on (\S+)/.exec(serving)?.[1] ?? '';
    const call = (...args: string[]) =>
      run(process.execPath, ['--disable-warning=ExperimentalWarning', CALL, ...args, '--address', address]);

    const opened = JSON.parse((await call('open', '--label', 'test=1', '--json')).stdout);
    const { channelId } = opened.channel;
    expect((await call('list', '--filter', 'labels.test = "1"')).stdout).toContain(channelId);
    const refused = await call('open', '--remote', '127.0.0.1:0').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('settings.remote.rtp_port: ') });
    expect((await call('close', channelId)).stdout).toContain('reason       requested');

    // What is printed for others to type works as it stands.
    const line = await started.waitForLine(/^ +npx buf curl .*\/ListChannels/);
    const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
    const listed = JSON.parse((await run(process.execPath, [BUF, ...words.slice(2)])).stdout);
    expect(listed).toEqual({});
    // Nothing of the demonstration is left.
    for (const method of ['ListListeners', 'ListUplinks']) {
      const gateway = /http:\S+SrtlaGatewayService/.exec(await started.waitForLine('/ListGroups'))?.[0] ?? '';
      const curl = ['curl', '--http2-prior-knowledge', '--protocol', 'grpc', `${gateway}/${method}`, '-d', '{}'];
      expect(JSON.parse((await run(process.execPath, [BUF, ...curl])).stdout)).toEqual({});
    }

    started.signal('SIGTERM');
    expect(await started.exited).toEqual({ code: 0, signal: null });
  },
  RUN_MS,
);

test(
  'Ctrl-C during the call closes its channels and ends with 130',
  async () => {
    await using folder = await tempFolder('standalone');
    await using started = await standalone(folder.path, '--once');
    await started.waitForLine('B answers', { timeoutMs: RUN_MS });
    started.signal('SIGINT');
    expect(await started.exited).toEqual({ code: 130, signal: null });
    expect(started.lines).toContain('Stopped.');
    expect(started.lines).not.toContainEqual(expect.stringContaining('✗'));
  },
  RUN_MS,
);

test(
  'Ctrl-C during the stream ends with 130 too, and what outlives a process is gone',
  async () => {
    await using folder = await tempFolder('standalone');
    const env = { ...FREE_PORTS, TMPDIR: folder.path };
    await using started = await TestProcess.startNode(MAIN, { args: ['--once'], cwd: folder.path, env });
    await started.waitForLine('dies without a word', { timeoutMs: RUN_MS });
    started.signal('SIGINT');
    expect(await started.exited).toEqual({ code: 130, signal: null });
    expect((await readdir(folder.path)).toSorted()).toEqual(['.cache', 'recordings']);
  },
  RUN_MS,
);

test('what is not understood is refused with the help', async () => {
  await using folder = await tempFolder('standalone');
  await using started = await standalone(folder.path, '--twice');
  expect(await started.exited).toMatchObject({ code: 64 });
  expect(started.lines).toContainEqual(expect.stringContaining("Unknown option '--twice'"));
  expect(started.lines).toContainEqual(expect.stringContaining('--once'));
});
