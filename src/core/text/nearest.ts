/**
 * Finds the candidate whose spelling is most similar to `word`, ignoring case.
 *
 * @param maxEdits how many letters may be missing, added, wrong or swapped; default: any number
 * @returns the first of several equally similar candidates; `undefined` when all need more edits
 */
export function nearest(
  word: string,
  candidates: readonly string[],
  maxEdits = Infinity,
): string | undefined {
  let best: string | undefined;
  let fewest = maxEdits + 1;
  for (const candidate of candidates) {
    if (Math.abs(word.length - candidate.length) >= fewest) continue;
    const edits = editsBetween(word.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

/**
 * Finds the candidate that was probably meant by `word`: the nearest one that differs in at most a third of
 * its letters, and in no more than four.
 */
export const probableMatch = (word: string, candidates: readonly string[]): string | undefined =>
  nearest(word, candidates, Math.min(4, Math.ceil(word.length / 3)));

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editsBetween(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let i = 1; i <= a.length; i++) {
    rows.push([i]);
    for (let j = 1; j <= b.length; j++) {
      const differ = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      rows[i]?.push(
        Math.min(
          at(i - 1, j) + 1,
          at(i, j - 1) + 1,
          at(i - 1, j - 1) + differ,
          swapped ? at(i - 2, j - 2) + 1 : Infinity,
        ),
      );
    }
  }
  return at(a.length, b.length);
}
