import pg from 'pg'

/** Orders of a shop: written on the primary, read on a replica that has replayed what was written here. */
export class Orders {
  #pools
  #written = '0/0'

  /** @param {readonly string[]} urls of all servers, whichever of them is the primary */
  constructor(urls) {
    this.#pools = urls.map((connectionString) => new pg.Pool({ connectionString }))
    // A server that goes away ends the idle connections of its pool.
    for (const pool of this.#pools) pool.on('error', () => {})
  }

  async add(item) {
    const primary = await this.#primary()
    const inserted = await primary.query('insert into orders (item) values ($1) returning id', [item])
    const position = await primary.query('select pg_current_wal_insert_lsn()::text as lsn')
    this.#written = position.rows[0].lsn
    return inserted.rows[0].id
  }

  async item(id) {
    const replica = await this.#first(`pg_is_in_recovery() and pg_last_wal_replay_lsn() >= '${this.#written}'`)
    const from = replica ?? (await this.#primary())
    const found = await from.query('select item from orders where id = $1', [id])
    return found.rows[0]?.item
  }

  async close() {
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }

  async #primary() {
    const found = await this.#first('not pg_is_in_recovery()')
    if (found === undefined) throw new Error('no server takes orders')
    return found
  }

  /** The first server of which the condition is true; one that refuses connections is passed over. */
  async #first(condition) {
    for (const pool of this.#pools) {
      const answer = await pool.query(`select ${condition} as yes`).catch(() => undefined)
      if (answer?.rows[0].yes) return pool
    }
    return undefined
  }
}
