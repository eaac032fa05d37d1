// What `npm test` runs after the bootstrap: lint, type check, generated pages, all tests; one line a step, one closing line of counts.
// With CI=true a skipped test is a failure: what a test needs has to be there.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ci = process.env.CI === 'true';
const scratch = mkdtempSync(join(tmpdir(), 'mediaplane-test-'));
const failedSteps = [];

function step(name, script, args = [], nodeArgs = []) {
  const started = Date.now();
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [...nodeArgs, join(root, script), ...args], {
    cwd: root,
    stdio: 'inherit',
  });
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (status !== 0) failedSteps.push(name);
}

function jest(name, args) {
  const report = join(scratch, `${name}.json`);
  step(
    name,
    'node_modules/jest/bin/jest.js',
    ['--json', `--outputFile=${report}`, '--selectProjects', name, ...args],
    ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'],
  );
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, testResults: [] };
  }
}

step('system packages', 'tools/system-packages.mjs');
step('lint', 'node_modules/eslint/bin/eslint.js', ['.']);
step('format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level=warn', '.']);
step('types', 'node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json']);
step('docs', 'tools/docs.mjs', ['--check'], ['--disable-warning=ExperimentalWarning']);
const reports = [jest('unit', []), jest('service', ['--runInBand'])];
rmSync(scratch, { recursive: true, force: true });

const count = (field) => reports.reduce((sum, report) => sum + report[field], 0);
const skipped = count('numPendingTests');
for (const { name, assertionResults } of reports.flatMap((report) => report.testResults)) {
  for (const { status, fullName } of assertionResults) {
    if (status === 'pending') console.log(`skipped: ${fullName} (${name.slice(root.length + 1)})`);
  }
}
if (failedSteps.length > 0) console.log(`\nfailed: ${failedSteps.join(', ')}`);
if (ci && skipped > 0) console.log('CI=true allows no skipped test.');
console.log(`\n${count('numPassedTests')} passed, ${count('numFailedTests')} failed, ${skipped} skipped`);
process.exit(failedSteps.length > 0 || (ci && skipped > 0) ? 1 : 0);
