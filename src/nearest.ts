/** The candidates spelled most like a word, nearest first: by edit distance without regard to case, then in alphabetical order. */
export function nearest(word: string, candidates: Iterable<string>, count = 5): string[] {
  const target = word.toLowerCase();
  const scored = Array.from(candidates, (candidate) => ({
    candidate,
    distance: editDistance(target, candidate.toLowerCase()),
  }));
  scored.sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, count).map(({ candidate }) => candidate);
}

/** `"a", "b"`, for messages. */
export function quoted(items: readonly string[]): string {
  return items.map((item) => JSON.stringify(item)).join(", ");
}

/** Levenshtein's distance: the fewest insertions, deletions and replacements of characters. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
