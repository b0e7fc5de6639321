/** Milliseconds: more than anything takes, and less than a test may, so that there is a reason where something does not come. */
export const PATIENCE = 120_000;

// those that no test puts others in place of
const { setTimeout, clearTimeout } = globalThis;

/** What comes; rejects where it takes longer than anybody waits, with what is missing. */
export async function inTime<T>(come: Promise<T>, missing: () => string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`It takes too long. ${missing()}`)), PATIENCE).unref();
  try {
    return await Promise.race([come, late]);
  } finally {
    clearTimeout(timer);
  }
}
