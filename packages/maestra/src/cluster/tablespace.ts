/** A directory of a server outside of its data directory. */
export type Tablespace = { readonly name: string; readonly location: string }

/** What stands in the way of a copy: their names and places, in words that follow the name of the server. */
export function tablespacesText(tablespaces: readonly Tablespace[]): string {
  const named = tablespaces.map(({ name, location }) => `${name} at ${location}`).join(', ')
  return `has the ${tablespaces.length === 1 ? 'tablespace' : 'tablespaces'} ${named}, outside of its data directory, and Maestra does not copy those`
}
