// @ts-check
// The parent's side of a process that has one pool and makes load with it.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** @typedef {'pg' | 'maestra' | 'split'} PoolName */
/** @typedef {import('./load-process.js').Order} Order */
/** @typedef {import('./load-process.js').Measured} Measured */

/** One pool in a process of its own, so that the CPU time that it takes is its own as well. */
export class Load {
  #process

  /** @param {PoolName} pool @param {string} url @param {Record<string, unknown>} options of the pool */
  constructor(pool, url, options = {}) {
    const path = fileURLToPath(new URL('load-process.js', import.meta.url))
    this.#process = fork(path, [pool, url, JSON.stringify(options)])
  }

  /** @param {Order} order @returns {Promise<Measured>} */
  async run(order) {
    this.#process.send(order)
    const ended = new AbortController()
    try {
      const { signal } = ended
      return await Promise.race([
        once(this.#process, 'message', { signal }).then(([measured]) => measured),
        once(this.#process, 'exit', { signal }).then(([code]) => {
          throw new Error(`the process that makes the load ended with ${code}`)
        }),
      ])
    } finally {
      ended.abort()
    }
  }

  async end() {
    if (this.#process.exitCode !== null) return
    this.#process.disconnect()
    await once(this.#process, 'exit')
  }
}
