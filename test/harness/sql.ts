import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import pg from 'pg'

type Row = Record<string, unknown>

/** Runs one statement on a connection of its own. */
export async function sql<R extends Row = Row>(url: string, text: string): Promise<readonly R[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 20_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query<R>(text)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** The SQLSTATE with which the server refuses the statement; an error when it does not. */
export async function refusal(url: string, text: string): Promise<string> {
  const state = await sql(url, text).then(
    () => undefined,
    (error) => (error as { code?: string }).code,
  )
  if (state === undefined) throw new Error(`the server did not refuse: ${text}`)
  return state
}

/** Runs the statement until its rows are the expected ones: for what a replica has not replayed yet. */
export async function untilRows(url: string, text: string, expected: readonly Row[]): Promise<void> {
  const wanted = JSON.stringify(expected)
  await waitUntil(
    async () => {
      const seen = await sql(url, text).then(JSON.stringify, String)
      return seen === wanted ? { done: true, value: undefined } : { done: false, seen }
    },
    { awaited: `${text} to give ${wanted}`, deadline: Deadline.after(20_000) },
  )
}
