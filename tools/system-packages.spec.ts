import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSystemBinary, packagesToFetch, systemBinary } from './system-packages.mjs';

const SIMULATION = `Reading package lists...
Inst libtool-one (1.2-3 Debian:12/oldstable [amd64])
Inst tool (4.5 Debian:12/oldstable [amd64])
Conf tool (4.5 Debian:12/oldstable [amd64])
`;

function writeProgram(path: string, text: string): void {
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
}

describe('system packages', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'system-packages-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Stands in for apt and dpkg: a package with one program that prints its library path, and one library. */
  function fakeApt(calls: string[]) {
    return (command: string, args: string[], cwd: string): string => {
      calls.push(`${command} ${args.filter((arg) => !arg.includes('::') && arg !== '-o').join(' ')}`);
      if (args.includes('--simulate')) return SIMULATION;
      if (args.includes('download')) writeFileSync(join(cwd, 'tool_4.5_amd64.deb'), '');
      if (command === 'dpkg') {
        mkdirSync(join(args[2], 'usr/sbin'), { recursive: true });
        mkdirSync(join(args[2], 'usr/lib'), { recursive: true });
        writeFileSync(join(args[2], 'usr/lib/libtool-one.so.1'), '');
        writeProgram(join(args[2], 'usr/sbin/tool'), 'echo "$LD_LIBRARY_PATH $1"');
      }
      return '';
    };
  }

  test('finds a program on PATH before the cache, and nothing that cannot be executed', () => {
    const bin = join(folder, 'bin');
    mkdirSync(join(folder, 'cache/bin'), { recursive: true });
    mkdirSync(bin);
    const where = { path: bin, cache: join(folder, 'cache') };
    writeFileSync(join(bin, 'tool'), 'not executable');
    expect(systemBinary('tool', where)).toBeNull();
    writeProgram(join(folder, 'cache/bin/tool'), '');
    expect(systemBinary('tool', where)).toBe(join(folder, 'cache/bin/tool'));
    chmodSync(join(bin, 'tool'), 0o755);
    expect(systemBinary('tool', where)).toBe(join(bin, 'tool'));
  });

  test('fetches what apt would install, or just the package when it is installed already', () => {
    expect(packagesToFetch(SIMULATION, 'tool')).toEqual(['libtool-one', 'tool']);
    expect(packagesToFetch('tool is already the newest version', 'tool')).toEqual(['tool']);
  });

  test('unpacks into the cache a program that runs with its libraries, also after the cache has moved', () => {
    const calls: string[] = [];
    const cache = join(folder, 'cache');
    const options = { path: folder, cache, isDebian: true, installByApt: false, run: fakeApt(calls), log: () => {} };
    expect(ensureSystemBinary('tool', options)).toBe(join(cache, 'bin/tool'));
    expect(calls).toEqual([
      'apt-get install --simulate --no-install-recommends tool',
      'apt-get download libtool-one tool',
      expect.stringMatching(/^dpkg -x /),
    ]);
    renameSync(cache, join(folder, 'moved'));
    const printed = execFileSync(join(folder, 'moved/bin/tool'), ['an argument'], { encoding: 'utf8' });
    expect(printed).toContain('an argument');
    const [libraries] = printed.split(/[: ]/);
    expect(existsSync(join(libraries, 'libtool-one.so.1'))).toBe(true);
  });

  test('a second call fetches nothing', () => {
    const calls: string[] = [];
    const cache = join(folder, 'cache');
    const options = { path: folder, cache, isDebian: true, installByApt: false, run: fakeApt(calls), log: () => {} };
    ensureSystemBinary('tool', options);
    const before = calls.length;
    expect(ensureSystemBinary('tool', options)).toBe(join(cache, 'bin/tool'));
    expect(calls.length).toBe(before);
  });

  test('installs by apt where that is wanted, after fetching the package lists if need be', () => {
    const calls: string[] = [];
    const run = (command: string, args: string[]): string => {
      calls.push(`${command} ${args[0]}`);
      if (args[0] === 'update') writeProgram(join(folder, 'tool'), '');
      else if (calls.length === 1) throw new Error('E: Unable to locate package tool');
      return '';
    };
    const options = { path: folder, cache: folder, isDebian: true, installByApt: true, run, log: () => {} };
    expect(ensureSystemBinary('tool', options)).toBe(join(folder, 'tool'));
    expect(calls).toEqual(['apt-get install', 'apt-get update', 'apt-get install']);
  });

  test('what cannot be had is null with one line that says why', () => {
    const lines: string[] = [];
    const run = (): string => {
      throw Object.assign(new Error('failed'), { stderr: 'Reading ...\nE: Unable to locate package tool\n' });
    };
    const options = {
      path: folder,
      cache: folder,
      isDebian: true,
      installByApt: false,
      run,
      log: (line: string) => lines.push(line),
    };
    expect(ensureSystemBinary('tool', options)).toBeNull();
    expect(lines.at(-1)).toBe('tool: missing, and could not be fetched: E: Unable to locate package tool');
    expect(ensureSystemBinary('tool', { ...options, isDebian: false })).toBeNull();
    expect(lines.at(-1)).toMatch(/^tool: not found on PATH/);
  });
});
