import pg from 'pg'
import type { SandboxNode } from '../../packages/maestra/src/index.js'

/** What happens to one replica next: replay stands still, goes on, or is so many milliseconds late. */
type Disturbance = 'pause' | 'resume' | number

/** Two of these walks at different places have one replica late while another stands still, and both late at once. */
const walk: readonly Disturbance[] = [3, 5, 'pause', 'resume', 10, 0, 3, 'pause', 50, 'resume', 3]

/**
 * Replay that is late, stands still and goes on again. It changes with the work that is done, not with the clock: `step` is to be
 * called for every so many reads.
 */
export class FlappingReplay {
  readonly #clients: readonly pg.Client[]
  #steps = 0
  #running: Promise<void> = Promise.resolve()

  private constructor(clients: readonly pg.Client[]) {
    this.#clients = clients
  }

  static async of(replicas: readonly SandboxNode[]): Promise<FlappingReplay> {
    const clients = replicas.map(({ url }) => new pg.Client({ connectionString: url }))
    await Promise.all(clients.map((client) => client.connect()))
    return new FlappingReplay(clients)
  }

  /** Begins the next change, one replica after the other in turn. A failure is told by `settle`. */
  step(): void {
    const number = this.#steps
    this.#steps += 1
    const which = number % this.#clients.length
    const disturbance = walk[(Math.floor(number / this.#clients.length) + 5 * which) % walk.length]
    const client = this.#clients[which]
    if (client === undefined || disturbance === undefined) return
    this.#running = this.#running.then(() => disturb(client, disturbance))
    this.#running.catch(() => {})
  }

  /** All replicas replay at once again. */
  async settle(): Promise<void> {
    await this.#running
    for (const client of this.#clients) {
      await disturb(client, 'resume')
      await disturb(client, 0)
    }
  }

  async end(): Promise<void> {
    await this.settle()
    await Promise.all(this.#clients.map((client) => client.end()))
  }
}

async function disturb(client: pg.Client, disturbance: Disturbance): Promise<void> {
  if (disturbance === 'pause') await client.query('select pg_wal_replay_pause()')
  else if (disturbance === 'resume') await client.query('select pg_wal_replay_resume()')
  else {
    await client.query(`alter system set recovery_min_apply_delay = ${disturbance}`)
    await client.query('select pg_reload_conf()')
  }
}
