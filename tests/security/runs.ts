const long = process.env.PARLEY_TESTS === 'long';

/** How often a property is tried: a hundred times as often in the long form of a test. */
export const numRuns = long ? 100_000 : 1000;

/** For properties whose single run takes long. */
export const fewRuns = long ? 10_000 : 100;
