import type pg from 'pg'
import { parseProgress } from '../../routing/topology/parse-probe.js'
import { positionQuery } from '../../routing/topology/probe-query.js'
import type { Progress } from '../../routing/topology/server-state.js'

/** The row of one of our own statements: every column as PostgreSQL writes it, whatever parsers the application has set. */
export type TextRow = Readonly<Record<string, string | null>>

// Columns of our statements are texts, which look the same when a client asks for binary results.
const asText = { getTypeParser: () => (value: unknown) => String(value) } as unknown as pg.CustomTypesConfig

/** Runs one of our own statements, which gives exactly one row; with a name it stays prepared. Rejects as node-postgres does. */
export async function askServer(client: pg.ClientBase, text: string, name?: string): Promise<TextRow> {
  const { rows } = await client.query<Record<string, string | null>>({ name, text, types: asText })
  return rows[0] ?? {}
}

/** The same, called back before the answer to any later statement on the connection is; with undefined when it failed. */
export function askServerFirst(client: pg.ClientBase, text: string, told: (row: TextRow | undefined) => void): void {
  const callback = (error: Error | null, result: pg.QueryResult<Record<string, string | null>>) =>
    told(error ? undefined : (result.rows[0] ?? {}))
  client.query({ text, types: asText, callback } as pg.QueryConfig)
}

/** How far the server at the other end of a connection has come. */
export async function askProgress(client: pg.ClientBase): Promise<Progress> {
  return parseProgress(await askServer(client, positionQuery))
}
