import { MaestraError, messageOf } from '@maestra/client/base/error'
import pg from 'pg'

export type SqlResult = {
  /** PostgreSQL's command word: `SELECT`, `INSERT`, `CREATE`. */
  readonly command: string
  readonly columns: readonly string[]
  /** Values as PostgreSQL writes them; null is null. */
  readonly rows: readonly (readonly (string | null)[])[]
  readonly rowCount: number | null
}

/** Runs a text of one or more statements at a URL, and gives the results as PostgreSQL prints their values. */
export async function runSql(url: string, text: string): Promise<readonly SqlResult[]> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'maestra',
    connectionTimeoutMillis: 5000,
    types: { getTypeParser: () => (value: string) => value },
  })
  client.on('error', () => {})
  try {
    await client.connect()
    const result = await client.query({ text, rowMode: 'array' })
    return (Array.isArray(result) ? result : [result]).map(resultOf)
  } catch (error) {
    throw new MaestraError('command-failed', sqlMessage(error), { cause: error })
  } finally {
    await client.end().catch(() => {})
  }
}

function resultOf(result: pg.QueryArrayResult): SqlResult {
  return {
    command: result.command,
    columns: result.fields.map((field) => field.name),
    rows: result.rows as (string | null)[][],
    rowCount: result.rowCount,
  }
}

function sqlMessage(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return messageOf(error)
  const detail = error.detail === undefined ? '' : ` (${error.detail})`
  return `${error.message} (SQLSTATE ${error.code})${detail}`
}
