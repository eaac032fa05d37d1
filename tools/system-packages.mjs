// Finds the Debian programs that tests run against (a real nats-server, ffmpeg and srt-live-transmit as foreign peers), or fetches them without
// root into the git-ignored .cache/system. With CI=true and root they are installed by apt instead. Starts no daemon.
// Plain JavaScript for Node >= 20 without dependencies. Use: `node tools/system-packages.mjs [name ...]`.
import { execFileSync } from 'node:child_process';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const APT_TIMEOUT_MS = 300_000;
/** Where programs live below a file system root; sbin too, which an ordinary user's PATH leaves out. */
const BIN_FOLDERS = ['usr/sbin', 'usr/bin', 'usr/local/sbin', 'usr/local/bin', 'sbin', 'bin'];

/** Program name to Debian package. `required` ones are fetched by default, and a missing one fails with CI=true. */
export const SYSTEM_PACKAGES = {
  'nats-server': { package: 'nats-server', required: true },
  ffmpeg: { package: 'ffmpeg', required: true },
  'srt-live-transmit': { package: 'srt-tools', required: true },
  rtpengine: { package: 'rtpengine-daemon', required: false },
};

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/**
 * The absolute path of a program: on PATH, in the system's own folders, or fetched earlier into the cache; null if nowhere.
 * libs/testkit/src/system-binary.ts is the same search for tests.
 */
export function systemBinary(name, { path = process.env.PATH ?? '', cache = join(root, '.cache', 'system') } = {}) {
  const folders = [...path.split(delimiter).filter(Boolean), '/usr/sbin', '/usr/local/sbin', join(cache, 'bin')];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/** The packages that apt would install for `name` on this machine: itself and the dependencies that are not there yet. */
export function packagesToFetch(simulation, name) {
  const names = [...simulation.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
  return names.length > 0 ? names : [name];
}

/** A shell wrapper that runs an unpacked program with the libraries unpacked beside it, wherever the folder is moved to. */
export function wrapperScript(programFromBin, libraryFoldersFromBin) {
  const libraries = libraryFoldersFromBin.map((folder) => `$here/${folder}`).join(':');
  return [
    '#!/bin/sh',
    'here=$(dirname "$(readlink -f "$0")")',
    `LD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
    'export LD_LIBRARY_PATH',
    `exec "$here/${programFromBin}" "$@"`,
    '',
  ].join('\n');
}

/** Every folder below `folder` that holds a shared library. */
function libraryFolders(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const holders = entries.filter((entry) => !entry.isDirectory() && /\.so(\.|$)/.test(entry.name));
  return [...new Set(holders.map((entry) => entry.parentPath ?? entry.path))].sort();
}

function runApt(command, args, cwd) {
  const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const stdio = ['ignore', 'pipe', 'pipe'];
  return execFileSync(command, args, {
    cwd,
    env,
    stdio,
    encoding: 'utf8',
    timeout: APT_TIMEOUT_MS,
    maxBuffer: 1 << 26,
  });
}

const ACQUIRE = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'Acquire::https::Timeout=20'];

/** Installs with apt: for a build machine that is thrown away afterwards. */
function install(packageName, run) {
  const args = ['install', '-y', '--no-install-recommends', ...ACQUIRE, packageName];
  try {
    run('apt-get', args);
  } catch {
    run('apt-get', ['update', ...ACQUIRE]);
    run('apt-get', args);
  }
}

/** Downloads a package with what it needs and unpacks all of it into `cache`, without root and without running its scripts. */
function unpack(name, packageName, cache, run) {
  const downloads = join(cache, 'downloads', name);
  const tree = join(cache, 'packages', name);
  rmSync(downloads, { recursive: true, force: true });
  rmSync(tree, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  mkdirSync(tree, { recursive: true });

  const simulate = ['install', '--simulate', '--no-install-recommends', packageName];
  let lists = [];
  let simulation;
  try {
    simulation = run('apt-get', simulate, downloads);
  } catch {
    // No package lists, as in a container image: fetch them into a place of our own, which needs no root.
    const own = join(cache, 'apt');
    mkdirSync(join(own, 'lists', 'partial'), { recursive: true });
    mkdirSync(join(own, 'cache', 'archives', 'partial'), { recursive: true });
    lists = ['-o', `Dir::State::lists=${join(own, 'lists')}`, '-o', `Dir::Cache=${join(own, 'cache')}`];
    run('apt-get', ['update', ...ACQUIRE, ...lists], downloads);
    simulation = run('apt-get', [...lists, ...simulate], downloads);
  }
  run('apt-get', ['download', ...ACQUIRE, ...lists, ...packagesToFetch(simulation, packageName)], downloads);
  for (const file of readdirSync(downloads)) {
    if (file.endsWith('.deb')) run('dpkg', ['-x', join(downloads, file), tree]);
  }
  rmSync(downloads, { recursive: true, force: true });

  const program = BIN_FOLDERS.map((folder) => join(tree, folder, name)).find(isExecutable);
  if (program === undefined) throw new Error(`package ${packageName} holds no program ${name}`);
  const bin = join(cache, 'bin');
  mkdirSync(bin, { recursive: true });
  const fromBin = (path) => relative(bin, path);
  writeFileSync(join(bin, name), wrapperScript(fromBin(program), libraryFolders(tree).map(fromBin)));
  chmodSync(join(bin, name), 0o755);
}

/**
 * Makes sure of one program. Returns its path, or null when it can be had nowhere; never throws, says why on `log`.
 * `run(command, args, cwd)` runs a program to its end, returns what it printed and throws when it failed.
 */
export function ensureSystemBinary(name, options = {}) {
  const {
    path = process.env.PATH ?? '',
    cache = join(root, '.cache', 'system'),
    isDebian = existsSync('/etc/debian_version'),
    installByApt = process.env.CI === 'true' && process.getuid?.() === 0,
    run = runApt,
    log = console.log,
  } = options;
  const found = systemBinary(name, { path, cache });
  if (found !== null) return found;
  const packageName = SYSTEM_PACKAGES[name]?.package ?? name;
  if (!isDebian) {
    log(`${name}: not found on PATH (not a Debian system: install it yourself to run the tests that need it)`);
    return null;
  }
  log(`${name}: ${installByApt ? 'installing' : 'fetching'} Debian's package ${packageName} ...`);
  try {
    if (installByApt) install(packageName, run);
    else unpack(name, packageName, cache, run);
  } catch (error) {
    const reason = String(error.stderr || error.message)
      .trim()
      .split('\n')
      .at(-1);
    log(`${name}: missing, and could not be ${installByApt ? 'installed' : 'fetched'}: ${reason}`);
    return null;
  }
  const got = systemBinary(name, { path, cache });
  if (got === null) log(`${name}: missing, although package ${packageName} was unpacked`);
  return got;
}

function main(names) {
  const wanted =
    names.length > 0 ? names : Object.keys(SYSTEM_PACKAGES).filter((name) => SYSTEM_PACKAGES[name].required);
  let complete = true;
  for (const name of wanted) {
    const path = ensureSystemBinary(name);
    if (path !== null) console.log(`${name}: ${path}`);
    else complete = false;
  }
  // Without CI=true the tests that need a missing program are skipped, and say so.
  process.exit(complete || process.env.CI !== 'true' ? 0 : 1);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  main(process.argv.slice(2));
