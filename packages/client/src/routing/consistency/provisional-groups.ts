import { type Lsn, maxLsn } from '../../postgres/lsn.js'
import type { Position } from './position.js'
import type { ProvisionalGroup } from './provisional-group.js'
import type { Scope } from './scope.js'
import type { Write } from './write.js'

/** Further ones are joined to the youngest, which is confirmed later for it. */
const mostGroups = 64

/** The groups of commits whose position waits for the flush position (W5), oldest first. */
export class ProvisionalGroups {
  #all: ProvisionalGroup[] = []

  get oldest(): ProvisionalGroup | undefined {
    return this.#all[0]
  }

  add(position: Position, captured: number, scopes: Set<Scope>, writes: readonly Write[]): void {
    const youngest = this.#all.at(-1)
    if (youngest === undefined || this.#all.length < mostGroups) {
      const group = { position, captured, scopes, writes: [...writes] }
      this.#all.push(group)
      for (const scope of scopes) scope.hold(group)
      return
    }
    youngest.position = { ...position, lsn: maxLsn(position.lsn, youngest.position.lsn) }
    youngest.writes.push(...writes)
    for (const scope of scopes) youngest.scopes.add(scope)
    for (const scope of youngest.scopes) scope.hold(youngest)
  }

  /** Takes out what is flushed, as a connection saw it that was open when the position was read. */
  takeFlushed(connection: number, flush: Lsn): ProvisionalGroup[] {
    return this.#take(({ position, captured }) => position.lsn <= flush && connection < captured)
  }

  isUnwitnessed(oldest: number): boolean {
    return this.#all.some(({ captured }) => captured <= oldest)
  }

  /** Takes out what no unbroken connection vouches for, when that is the oldest one. */
  takeUnwitnessed(oldest: number): ProvisionalGroup[] {
    return this.#take(({ captured }) => captured <= oldest)
  }

  takeAll(): ProvisionalGroup[] {
    return this.#take(() => true)
  }

  #take(isTaken: (group: ProvisionalGroup) => boolean): ProvisionalGroup[] {
    const taken = this.#all.filter(isTaken)
    if (taken.length === 0) return taken
    this.#all = this.#all.filter((group) => !taken.includes(group))
    for (const group of taken) for (const scope of group.scopes) scope.letGo(group)
    return taken
  }
}
