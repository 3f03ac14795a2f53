import type { Topology } from '../../routing/topology/topology.js'

/** What waits until it is known who the servers are: from the first statement to a primary, or to an answer of every server. */
export class Start {
  readonly #begin: () => void
  readonly #ended: () => void
  readonly #timeoutMs: number
  #waiting: (() => void)[] | undefined = []
  #timer: NodeJS.Timeout | undefined

  constructor(options: { readonly begin: () => void; readonly ended: () => void; readonly timeoutMs: number }) {
    this.#begin = options.begin
    this.#ended = options.ended
    this.#timeoutMs = options.timeoutMs
  }

  /** Runs it at once when the pool has started. */
  when(run: () => void): void {
    if (this.#waiting === undefined) return run()
    this.#waiting.push(run)
    if (this.#timer !== undefined) return
    // The watch alone keeps no process alive, and a server that hangs must not hold up the others for ever.
    this.#timer = setTimeout(() => this.#end(), this.#timeoutMs)
    this.#begin()
  }

  saw(topology: Topology): void {
    if (this.#waiting !== undefined && isKnown(topology)) this.#end()
  }

  #end(): void {
    clearTimeout(this.#timer)
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#ended()
    for (const run of waiting) run()
  }
}

function isKnown({ nodes, primary }: Topology): boolean {
  if (primary !== undefined) return true
  for (const { answers, lastError } of nodes.values()) if (!answers && lastError === undefined) return false
  return true
}
