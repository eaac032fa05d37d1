import { parseArguments, USAGE } from './arguments/arguments.ts';
import type { Arguments } from './arguments/arguments.ts';
import { UsageError } from './arguments/values.ts';
import { cleanUpWithThisProcess } from './at-exit.ts';
import { LINKS } from './failover/failover-run.ts';
import type { Comparison } from './load-test.ts';
import { UnavailableError, loadTest } from './load-test.ts';
import { table, worstTable } from './report/table.ts';

/** `npm run loadtest -- <scenario> ...`: progress on standard error, the result on standard output. */
const EXIT_USAGE = 2;

function report(args: Arguments, { engines, ratios }: Comparison): string {
  const { json, runs, ...rest } = args;
  if (json) {
    const [first] = engines;
    const lonely = engines.length === 1 && first.runs.length === 1;
    return JSON.stringify(lonely ? first.runs[0] : { ...rest, engines, ratios }, null, 2);
  }
  const late = engines
    .filter(({ lateRuns }) => lateRuns > 0)
    .map(({ engine, lateRuns }) => `generator late in ${lateRuns} of ${runs} runs of ${engine}: do not believe those`);
  // Of what must not happen in any run the worst counts.
  const [which, figures] = 'events' in args ? ['worst', worstTable(engines)] : ['median', table(engines)];
  return [`${title(args)}, ${which} of ${runs}`, '', figures, ...(late.length > 0 ? ['', ...late] : [])].join('\n');
}

function title(args: Arguments): string {
  const { scenario, seconds } = args;
  if ('channels' in args) {
    const threads = `${args.threads} media thread${args.threads > 1 ? 's' : ''}`;
    return `${scenario}: ${args.channels} channels, ${seconds} s, ${threads}`;
  }
  if ('events' in args) {
    const { packetsPerSecond: pps } = args;
    return `${scenario}: 1 group of ${LINKS} links, ${pps * seconds} packets at ${pps} packets/s`;
  }
  const { groups, links, packetsPerSecond, pace, profile } = args;
  const groupsOf = `${groups} group${groups > 1 ? 's' : ''} of ${links} link${links > 1 ? 's' : ''}`;
  return `${scenario}: ${groupsOf}, ${packetsPerSecond} packets/s each (${pace}), ${profile} profile, ${seconds} s`;
}

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit(0);
}
cleanUpWithThisProcess();
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
