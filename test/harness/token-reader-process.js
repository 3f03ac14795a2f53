// @ts-check
// A second process with a pool of its own: node token-reader-process.js <connection string>. A message { number, token, id } is answered
// with { number, value }: what a read with that token shows of the counter. { number } alone asks for pool.stats().
import { Pool } from '../../packages/client/dist/index.js'

const pool = new Pool({ connectionString: process.argv[2] ?? '' })

process.on('message', async (message) => {
  const { number, token, id } = /** @type {{ number: number, token?: string, id?: number }} */ (message)
  try {
    if (id === undefined) process.send?.({ number, stats: pool.stats() })
    else {
      const { rows } = await pool.withToken(token, () => pool.query('select value from counter where id = $1', [id]))
      process.send?.({ number, value: rows[0]?.value })
    }
  } catch (error) {
    process.send?.({ number, error: String(error) })
  }
})
process.on('disconnect', () => void pool.end())
