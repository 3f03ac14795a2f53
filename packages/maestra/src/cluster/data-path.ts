/** Where a value stands in plain data: `['nodes', 1, 'port']`. */
export type DataPath = readonly (string | number)[]

export function isMapping(data: unknown): data is Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
}

/** The value at a path, and whether there is one. */
export function valueAt(data: unknown, path: DataPath): { readonly value: unknown; readonly present: boolean } {
  let value = data
  for (const key of path) {
    const holder = typeof value === 'object' && value !== null ? value : {}
    if (!Object.hasOwn(holder, key)) return { value: undefined, present: false }
    value = (holder as Readonly<Record<string | number, unknown>>)[key]
  }
  return { value, present: true }
}
