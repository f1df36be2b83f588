/** Waiting for a condition with a deadline: the one way in which tests wait for something. */

const POLL_MS = 20;

/**
 * Resolves with the first value of `condition` that is neither false, null nor undefined; rejects,
 * naming `what`, when there was none within `deadlineMs`.
 */
export async function waitUntil<T>(
  condition: () => T | Promise<T>,
  deadlineMs: number,
  what: string,
): Promise<NonNullable<Exclude<T, false>>> {
  const endsAt = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== null && value !== undefined) {
      return value as NonNullable<Exclude<T, false>>;
    }
    if (Date.now() > endsAt) {
      throw new Error(`waited ${String(deadlineMs)} ms in vain until ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
