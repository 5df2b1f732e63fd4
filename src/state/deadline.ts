/** Number of steps in which the time is counted. */
const STEPS = 8;

/**
 * Waits for a promise, with a time limit. Time in which this process is blocked, by its own work or because it gets no
 * CPU, does not count: an answer that arrived meanwhile is not late, but was not read yet.
 *
 * @param ms the limit in milliseconds
 * @throws Error when the promise is not settled in time
 */
export async function within<Value>(ms: number, promise: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    let steps = STEPS;
    const step = (): void => {
      if (steps-- === 0) reject(new Error(`no answer within ${ms.toFixed(0)} ms`));
      // A step that ends late counts as one step.
      else timer = setTimeout(step, ms / STEPS);
    };
    step();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
