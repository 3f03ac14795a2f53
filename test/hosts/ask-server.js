// @ts-check
// node ask-server.js '{"url": "postgres://…", "text": "select 1", "replication": true}': prints, as JSON, the rows, or the SQLSTATE and the message of
// the refusal. It is run where the question is to come from.
import pg from 'pg'

const { url, text, replication } = /** @type {{ url: string, text: string, replication?: boolean }} */ (
  JSON.parse(process.argv[2] ?? '')
)
const client = new pg.Client({
  connectionString: url,
  connectionTimeoutMillis: 10_000,
  ...(replication ? /** @type {object} */ ({ replication: 'true' }) : {}),
})
client.on('error', () => {})
try {
  await client.connect()
  console.log(JSON.stringify({ rows: (await client.query(text)).rows }))
} catch (error) {
  const { code, message } = /** @type {{ code?: string, message: string }} */ (error)
  console.log(JSON.stringify({ code, message }))
} finally {
  await client.end().catch(() => {})
}
