import type pg from 'pg'

/** The row of one of our own statements: every column as PostgreSQL writes it, whatever parsers the application has set. */
export type TextRow = Readonly<Record<string, string | null>>

// Columns of our statements are texts, which look the same when a client asks for binary results.
const asText = { getTypeParser: () => (value: unknown) => String(value) } as unknown as pg.CustomTypesConfig

/** Runs one of our own statements, which gives exactly one row. Rejects as node-postgres does. */
export async function askServer(client: pg.ClientBase, text: string): Promise<TextRow> {
  const { rows } = await client.query<Record<string, string | null>>({ text, types: asText })
  return rows[0] ?? {}
}
