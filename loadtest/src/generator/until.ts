const SLICE_US = 250_000;

/** Calls `work` until it says that it is over. Between slices the process returns to its event loop, to notice that its parent is gone. */
export function until(work: (sliceUs: number) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const slice = (): void => {
      try {
        if (work(SLICE_US)) resolve();
        else setImmediate(slice);
      } catch (error) {
        reject(error);
      }
    };
    slice();
  });
}
