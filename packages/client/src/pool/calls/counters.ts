import type { RouteReason } from '../../routing/route.js'

/** The counters behind `pool.stats()`. */
export class Counters {
  statements = 0
  observedAsked = 0
  observedRefused = 0
  parkedTotal = 0
  parkedExpired = 0
  parkedMs = 0
  retries = 0
  askedAlone = 0
  fallbacks = 0
  readonly byReason: Partial<Record<RouteReason, number>> = {}
  readonly byNode = new Map<string, number>()

  /** A statement has found its node. One that is sent again takes `undo` of its first try along. */
  count(address: string, reason: RouteReason): void {
    this.statements += 1
    this.byReason[reason] = (this.byReason[reason] ?? 0) + 1
    this.byNode.set(address, (this.byNode.get(address) ?? 0) + 1)
  }

  undo(address: string, reason: RouteReason): void {
    this.statements -= 1
    this.byReason[reason] = (this.byReason[reason] ?? 0) - 1
    this.byNode.set(address, (this.byNode.get(address) ?? 0) - 1)
  }
}
