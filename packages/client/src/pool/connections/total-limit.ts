import type { NodeConnections } from './node-connections.js'

/** How many connections there may be to all servers together: an idle one elsewhere is closed for one that is needed. */
export class TotalLimit {
  readonly #max: number
  readonly #nodes: () => Iterable<NodeConnections>
  readonly #waiting: (() => void)[] = []
  #isMakingRoom = false

  constructor(max: number, nodes: () => Iterable<NodeConnections>) {
    this.#max = max
    this.#nodes = nodes
  }

  /** Runs `open`, which takes a connection of that node, as soon as it is within the limit. */
  within(node: NodeConnections, open: () => void): void {
    if (this.#max === Number.POSITIVE_INFINITY || this.#hasRoom(node)) return open()
    this.#waiting.push(() => this.within(node, open))
  }

  /** A connection was given back, or closed. */
  changed(): void {
    if (this.#waiting.length === 0 || this.#isMakingRoom) return
    const waiting = this.#waiting.splice(0)
    for (const again of waiting) again()
  }

  #hasRoom(node: NodeConnections): boolean {
    // An idle one is there for it, or one that is given back will be: none is opened.
    if (idleOf(node) > 0 || coming(node) >= node.pool.options.max) return true
    let total = 0
    for (const each of this.#nodes()) total += coming(each)
    if (total < this.#max) return true
    for (const other of this.#nodes()) {
      const idle = other === node ? undefined : other.acquireIdle()
      if (idle === undefined) continue
      // The room is for this one, not for those who wait to be told of it.
      this.#isMakingRoom = true
      idle.release(true)
      this.#isMakingRoom = false
      return true
    }
    return false
  }
}

/** Idle ones that nobody is about to get: node-postgres hands them out on the next tick. */
function idleOf({ pool }: NodeConnections): number {
  return pool.idleCount - pool.waitingCount
}

/** Its connections, and those that it is about to open. */
function coming(node: NodeConnections): number {
  return Math.min(node.pool.options.max, node.pool.totalCount + Math.max(0, -idleOf(node)))
}
