/**
 * How many letters have to be put in, left out, exchanged or swapped with their neighbour to turn one word into the
 * other.
 * @internal
 */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1]
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      )
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1)
      current.push(best)
    }
    beforeLast = last
    last = current
  }
  return last[to.length] ?? 0
}

/**
 * The known word that somebody who wrote `word` most likely meant; undefined when none is near enough to be worth
 * naming.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const written = word.toLowerCase()
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const longest = Math.max(written.length, candidate.length)
    const allowed = longest <= 3 ? 1 : longest <= 6 ? 2 : Math.floor(longest / 3)
    // The difference in length is a lower bound of the distance, and spares the table for a key of a megabyte.
    if (Math.abs(written.length - candidate.length) > allowed) continue
    const distance = editDistance(written, candidate.toLowerCase())
    if (distance <= allowed && distance < least) {
      nearest = candidate
      least = distance
    }
  }
  return nearest
}
