// @ts-check
import pg from 'pg'

/**
 * What people write by hand: a pg.Pool for each server, the text says where it goes, reads take turns on the replicas. It knows nothing of
 * roles, of delays, or of what was just written: what is left of a throughput here is what two servers cost, whoever routes.
 */
export class SplitPools {
  #primary
  #replicas
  #turn = 0

  /** @param {pg.PoolConfig} config whose host is that of all servers, the primary first */
  constructor({ connectionString = '', ...options }) {
    const pools = urlsOf(connectionString).map((url) => new pg.Pool({ ...options, connectionString: url }))
    const [primary, ...replicas] = pools
    if (primary === undefined || replicas.length === 0) throw new Error('a primary and replicas are needed')
    this.#primary = primary
    this.#replicas = replicas
  }

  /** @param {string} text @param {unknown[]} values */
  query(text, values) {
    if (!text.startsWith('select')) return this.#primary.query(text, values)
    this.#turn = (this.#turn + 1) % this.#replicas.length
    return /** @type {pg.Pool} */ (this.#replicas[this.#turn]).query(text, values)
  }

  async end() {
    await Promise.all([this.#primary, ...this.#replicas].map((pool) => pool.end()))
  }
}

/** @param {string} connectionString */
function urlsOf(connectionString) {
  const [, before, hosts = '', after] = /^(.*@)([^/]*)(.*)$/.exec(connectionString) ?? []
  return hosts.split(',').map((host) => `${before}${host}${after}`)
}
