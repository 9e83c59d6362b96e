/**
 * The least number of letters to change, delete, insert or swap with a neighbour to turn one text into the
 * other (optimal string alignment). Upper and lower case are different letters.
 */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped ? before[j - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}

/**
 * The word that a misspelled one probably means: the nearest, if at most a third of the typed letters differ
 * (in short words, one letter). Otherwise the first word that begins with the typed one, if that has at least
 * three letters. Undefined if there is none.
 * @param typed in any case
 * @param words in lower case; the first of those that are equally near is returned
 */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const word = typed.toLowerCase();
  const [best] = words
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(1, Math.floor(word.length / 3))) return best.candidate;
  return word.length < 3 ? undefined : words.find((candidate) => candidate.startsWith(word));
}
