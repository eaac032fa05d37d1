// Brings a checkout to where it can run: installs what the lock file says and builds the apps, each only when stale. Then runs
// the script that is named, with its arguments, on the Node that was installed:
//   node tools/bootstrap.mjs [script [argument ...]]
// Plain JavaScript for Node >= 20 without dependencies, because it runs before anything is installed. The scripts of package.json
// call it themselves: with `ignore-scripts` npm runs no `pre` scripts.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** Of this process. Standard output is the script's alone: it may be read by a program. */
const STDERR = 2;
const stampFolder = join(root, 'node_modules', '.mediaplane');

/** A hash over the contents and names of files; a missing file counts as empty. */
function fingerprint(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(`${file}\0`).update(existsSync(file) ? readFileSync(file) : '');
  return hash.digest('hex');
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/** Runs `work` unless it last succeeded with the same fingerprint. */
function unlessFresh(name, print, outputs, work) {
  const stamp = join(stampFolder, name);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === print && outputs.every((output) => existsSync(output)))
    return;
  const started = Date.now();
  work();
  mkdirSync(stampFolder, { recursive: true });
  writeFileSync(stamp, print);
  console.error(`mediaplane: ${name} done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function run(command, args) {
  const env = {
    ...process.env,
    NX_DAEMON: 'false',
    PATH: `${join(root, 'node_modules', '.bin')}${delimiter}${process.env.PATH}`,
  };
  const { status, error } = spawnSync(command, args, { cwd: root, env, stdio: ['ignore', STDERR, STDERR] });
  if (error || status !== 0) {
    console.error(`mediaplane: "${command} ${args.join(' ')}" failed${error ? `: ${error.message}` : ''}`);
    process.exit(status || 1);
  }
}

const lock = join(root, 'package-lock.json');
unlessFresh(
  'install',
  fingerprint([lock, join(root, '.npmrc')]),
  [join(root, 'node_modules', '.package-lock.json')],
  () => {
    console.error('mediaplane: installing packages (npm ci), about a minute on a fresh machine ...');
    run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
  },
);

const apps = readdirSync(join(root, 'apps')).map((app) => join(root, 'apps', app));
const sources = [...apps.flatMap((app) => filesBelow(join(app, 'src'))), join(root, 'tools', 'build-app.mjs'), lock];
unlessFresh(
  'build',
  fingerprint(sources),
  apps.map((app) => join(app, 'dist')),
  () => {
    console.error('mediaplane: building the apps ...');
    run('nx', ['run-many', '-t', 'build', '--outputStyle=static']);
  },
);

const [script, ...scriptArguments] = process.argv.slice(2);
if (script !== undefined) {
  const installed = join(root, 'node_modules', '.bin', 'node');
  const node = existsSync(installed) ? installed : process.execPath;
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', script, ...scriptArguments], {
    stdio: 'inherit',
  });
  // A terminal sends Ctrl-C to the child too; twice would mean "at once".
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.on('SIGHUP', () => child.kill('SIGHUP'));
  child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}
