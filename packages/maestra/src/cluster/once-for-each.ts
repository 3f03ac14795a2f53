/** Makes what follows from an object once, however often it is asked for; for objects that never change. */
export function onceForEach<K extends object, T>(make: (key: K) => T): (key: K) => T {
  const known = new WeakMap<K, { readonly made: T }>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found.made
    const made = make(key)
    known.set(key, { made })
    return made
  }
}
