import { FileError } from './errors.ts';

/**
 * What work on a disk gives, if it does so in time: a disk that hangs does not say so. What it gives later goes to `onLate`.
 * @throws FileError `too-slow`
 */
export async function inTime<T>(work: Promise<T>, limitMs: number, onLate: (late: T) => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooSlow = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      work.then(onLate, () => undefined);
      reject(new FileError('too-slow', `the disk has not answered within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, tooSlow]);
  } finally {
    clearTimeout(timer);
  }
}
