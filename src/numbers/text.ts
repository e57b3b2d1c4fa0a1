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

/** `"a", "b"`, for messages: what can't be seen is spelled out (`"a\u{200b}"`), what is long is cut. */
export function quoted(items: readonly string[]): string {
  return items.map(quote).join(", ");
}

const LONGEST_QUOTE = 200;

/** `"a"`, as `quoted` writes each. */
export function quote(item: string): string {
  const cut = item.length > LONGEST_QUOTE ? `… (${item.length} characters)` : "";
  const hex = (character: string) => character.codePointAt(0)!.toString(16);
  return JSON.stringify(item.slice(0, LONGEST_QUOTE)).replace(UNSEEN, (one) => `\\u{${hex(one)}}`) + cut;
}

/** Spaces other than the usual one, and characters without a look of their own, of those that JSON leaves as they are. */
const UNSEEN = /(?! )[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{Cc}\uFEFF]/gu;

/** "U+200B, U+FEFF": the characters of a text that can't be seen, each once; "" if there are none. */
export function unseen(text: string): string {
  return codePoints(text.match(UNSEEN) ?? []);
}

/** "U+0415, U+041A": characters by number, each once; for those that look like others. */
export function codePoints(characters: Iterable<string>): string {
  const number = (one: string) => `U+${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
  return [...new Set(characters)].map(number).join(", ");
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

/** Text that a browser shows as it is. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
