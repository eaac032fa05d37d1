import { readdirSync, readFileSync } from 'node:fs';

/** libs/media names its threads `media-0`, `media-1`, ... */
const MEDIA_THREAD = /^media-\d+\s*$/;
const TASKS = '/proc/self/task';

/**
 * CPU time in µs that the media threads of this process have taken. Where the system does not tell of single threads, that of
 * all threads but the calling one: compilers and garbage collectors count too then.
 */
export function mediaCpuUs(): number {
  return linuxThreadsUs() ?? everybodyElseUs();
}

function linuxThreadsUs(): number | undefined {
  try {
    const threads = readdirSync(TASKS).filter((tid) => MEDIA_THREAD.test(readFileSync(`${TASKS}/${tid}/comm`, 'utf8')));
    if (threads.length === 0) return undefined;
    // schedstat (Documentation/scheduler/sched-stats.rst): nanoseconds on a CPU, nanoseconds waiting, times run.
    const onCpuNs = threads.map((tid) => Number(readFileSync(`${TASKS}/${tid}/schedstat`, 'utf8').split(' ')[0]));
    return onCpuNs.reduce((sum, ns) => sum + ns, 0) / 1000;
  } catch {
    return undefined;
  }
}

function everybodyElseUs(): number {
  const all = process.cpuUsage();
  const own = process.threadCpuUsage();
  return all.user + all.system - own.user - own.system;
}
