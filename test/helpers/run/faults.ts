/**
 * The fault suite in its long form (`npm run test:faults`), which wants a machine that does nothing else:
 * then the criteria of the faults are asserted as they stand.
 */
export const FULL = process.env.SIGNET_FAULTS === 'full';

/** What is asserted: the criterion in the long form, else a limit that a busy machine keeps as well. */
export const limit = (criterion: number, onABusyMachine: number): number =>
  FULL ? criterion : onABusyMachine;

/** What so many of the values are at most; `share` is 0.5 for the median. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? NaN;
