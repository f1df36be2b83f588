/** Pseudo-random numbers from a printed seed, so that a failed run can be done again. */

/** The seed of this run: SEALWAY_TEST_SEED, else one of the clock's. */
export function testSeed(): number {
  return Number(process.env['SEALWAY_TEST_SEED'] ?? Date.now() % 1_000_000);
}

/** Mulberry32: numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
