/** What tests choose by: $MAESTRA_SEED, else another number each time. Whoever uses it says it in a title, so that a failure can be repeated. */
export const seed = Number(process.env['MAESTRA_SEED'] || Math.floor(Math.random() * 2 ** 31))

/**
 * Chooses by the seed, by the names of what there is, and by what the choice is for. It stays the same when others come or
 * go, as what depends on timing does.
 */
export function chosen<T>(from: readonly T[], nameOf: (each: T) => string, purpose: string): T {
  const rank = (each: T): number => hash(`${seed} ${purpose} ${nameOf(each)}`)
  const [first] = from.toSorted((a, b) => rank(a) - rank(b))
  if (first === undefined) throw new Error(`there is nothing to choose from: ${purpose}`)
  return first
}

/** FNV-1a of 32 bits, with its low bits, which neighbouring texts share least, folded into the high ones that decide. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193) >>> 0
  value = Math.imul(value ^ (value >>> 16), 0x45d9f3b) >>> 0
  return (value ^ (value >>> 16)) >>> 0
}
