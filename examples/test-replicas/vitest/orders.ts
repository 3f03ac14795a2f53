import pg from 'pg'

/** Orders of a shop: written on the primary, read on a replica that has replayed what was written here. */
export class Orders {
  readonly #pools: readonly pg.Pool[]
  #written = '0/0'

  /** The URLs of all servers, whichever of them is the primary. */
  constructor(urls: readonly string[]) {
    this.#pools = urls.map((connectionString) => new pg.Pool({ connectionString }))
    // A server that goes away ends the idle connections of its pool.
    for (const pool of this.#pools) pool.on('error', () => {})
  }

  async add(item: string): Promise<number> {
    const primary = await this.#primary()
    const inserted = await primary.query('insert into orders (item) values ($1) returning id', [item])
    const position = await primary.query('select pg_current_wal_insert_lsn()::text as lsn')
    this.#written = position.rows[0].lsn
    return inserted.rows[0].id
  }

  async item(id: number): Promise<string | undefined> {
    const replica = await this.#first(`pg_is_in_recovery() and pg_last_wal_replay_lsn() >= '${this.#written}'`)
    const from = replica ?? (await this.#primary())
    const found = await from.query('select item from orders where id = $1', [id])
    return found.rows[0]?.item
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }

  async #primary(): Promise<pg.Pool> {
    const found = await this.#first('not pg_is_in_recovery()')
    if (found === undefined) throw new Error('no server takes orders')
    return found
  }

  /** The first server of which the condition is true; one that refuses connections is passed over. */
  async #first(condition: string): Promise<pg.Pool | undefined> {
    for (const pool of this.#pools) {
      const answer = await pool.query(`select ${condition} as yes`).catch(() => undefined)
      if (answer?.rows[0].yes) return pool
    }
    return undefined
  }
}
