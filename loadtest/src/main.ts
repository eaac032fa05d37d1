import { parseArguments, USAGE, UsageError } from './arguments.ts';
import type { Arguments } from './arguments.ts';
import type { Comparison } from './load-test.ts';
import { UnavailableError, loadTest } from './load-test.ts';
import { endChildrenWithThisProcess } from './processes.ts';
import { table } from './report/table.ts';

/** `npm run loadtest -- <scenario> ...`: progress on standard error, the result on standard output. */
const EXIT_USAGE = 2;

function report(args: Arguments, { engines, ratios }: Comparison): string {
  if (args.json) {
    const [{ runs }] = engines;
    const lonely = engines.length === 1 && runs.length === 1;
    const { scenario, channels, seconds, threads } = args;
    return JSON.stringify(lonely ? runs[0] : { scenario, channels, seconds, threads, engines, ratios }, null, 2);
  }
  const { scenario, channels, seconds, threads, runs } = args;
  const title = `${scenario}: ${channels} channels, ${seconds} s, ${threads} media thread${threads > 1 ? 's' : ''}, median of ${runs}`;
  const late = engines
    .filter(({ lateRuns }) => lateRuns > 0)
    .map(({ engine, lateRuns }) => `generator late in ${lateRuns} of ${runs} runs of ${engine}: do not believe those`);
  return [title, '', table(engines), ...(late.length > 0 ? ['', ...late] : [])].join('\n');
}

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
endChildrenWithThisProcess();
try {
  const args = parseArguments(process.argv.slice(2));
  console.log(report(args, await loadTest(args, (text) => process.stderr.write(`${text}\n`))));
  process.exit(0);
} catch (error) {
  if (error instanceof UsageError) process.stderr.write(`${error.message}\n\n${USAGE}`);
  else if (error instanceof UnavailableError) process.stderr.write(`${error.message}\n`);
  else
    process.stderr.write(
      `load test failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
  process.exit(error instanceof UsageError ? EXIT_USAGE : 1);
}
