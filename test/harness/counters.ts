/** One row for each writer, which alone counts it up: `create table counter (id int primary key, value int not null)`. */
export const counterTable = 'create table counter (id int primary key, value int not null)'

export type CounterRun = {
  readonly writers: number
  /** Reads to be made in all. */
  readonly reads: number
  /** Sets a counter, and resolves when that is acknowledged. */
  readonly write: (id: number, value: number) => Promise<void>
  /** What a read shows; undefined for no row. */
  readonly read: (id: number) => Promise<number | undefined>
  /** Whether a reader sees what other writers wrote: it does where they share a scope. */
  readonly seesOthers: boolean
  /** Called after each read. */
  readonly onRead: (count: number) => void
}

/** A read that was older than what was acknowledged when it was issued. */
export type StaleRead = { readonly id: number; readonly acknowledged: number; readonly seen: number | undefined }

/** Acknowledged values of counters, which go on from run to run. */
export class Counters {
  readonly #acknowledged: number[] = []

  /** The statement that makes the rows. */
  fill(writers: number): string {
    for (let id = 0; id < writers; id += 1) this.#acknowledged[id] = 0
    return `insert into counter select id, 0 from generate_series(0, ${writers - 1}) id`
  }

  /** Each writer counts up, reads its own counter at once, and then another's. Gives the stale reads. */
  async run(options: CounterRun): Promise<readonly StaleRead[]> {
    const { writers, reads, write, seesOthers, onRead } = options
    const stale: StaleRead[] = []
    let count = 0
    const readOne = async (id: number) => {
      count += 1
      const acknowledged = this.#acknowledged[id] ?? 0
      const seen = await options.read(id)
      if (seen === undefined || seen < acknowledged) stale.push({ id, acknowledged, seen })
      onRead(count)
    }
    const writer = async (id: number) => {
      for (let round = 1; count < reads; round += 1) {
        const next = (this.#acknowledged[id] ?? 0) + 1
        await write(id, next)
        this.#acknowledged[id] = next
        await readOne(id)
        if (seesOthers) await Promise.all([readOne((id + round) % writers), readOne(id)])
      }
    }
    await Promise.all(Array.from({ length: writers }, (_, id) => writer(id)))
    return stale
  }
}
