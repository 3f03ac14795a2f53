import { Deadline } from '../../base/deadline.js'
import { codeOf, MaestraError } from '../../base/error.js'
import type { NodeView, Topology } from '../../routing/topology/topology.js'
import { withOutcome } from '../calls/outcome.js'
import type { Acquired, NodeConnections } from '../connections/node-connections.js'
import type { ServerConnection } from '../connections/server-connection.js'

/** What the way to the primary needs to know of the servers. */
export type PrimarySight = {
  readonly topology: () => Topology
  readonly nodeOf: (address: string) => NodeConnections | undefined
  /** Calls back once when the topology has changed, or the time is over. */
  readonly whenChanged: (timeoutMs: number, told: () => void) => void
  /** What every server that there is answers, when that is no matter of time: a wrong password, a name that nobody knows. */
  readonly refusal: () => Error | undefined
  /** What happened at a server; it is looked at at once. */
  readonly report: (address: string, error: unknown) => void
}

/** Between two tries of a statement while the primary answers the watch, in milliseconds. */
const againMs = 200

/** Finds a connection to the primary of the moment; while there is none, waits for one (rules T5, T6). */
export class Primary {
  readonly #sight: PrimarySight
  /** How long a statement waits for a primary, in milliseconds. */
  readonly #timeoutMs: number

  constructor(sight: PrimarySight, timeoutMs: number) {
    this.#sight = sight
    this.#timeoutMs = timeoutMs
  }

  /** @param whenNone Called instead of a wait while no primary is known: for who may go elsewhere. */
  acquire(acquired: Acquired, whenNone?: () => void): void {
    this.#try(undefined, acquired, whenNone)
  }

  /** One that nobody uses, at once; undefined when there is none. */
  acquireIdle(): ServerConnection | undefined {
    const view = this.#sight.topology().primary
    const connection = view && this.#sight.nodeOf(view.address)?.acquireIdle()
    if (connection === undefined || this.isPrimary(connection)) return connection
    connection.release(true)
    return undefined
  }

  /** Whether a connection leads to the server that is the primary as far as is known now. Asked right before each statement. */
  isPrimary({ node, identity, isBroken, isPooled }: ServerConnection): boolean {
    const view = this.#sight.topology().primary
    return (
      !isBroken &&
      view !== undefined &&
      view.address === node.address &&
      // Rule R4: what is written through a pooler of which nobody knows has no position.
      (view.pooler || !isPooled) &&
      identity !== undefined &&
      identity.startedAt === view.startedAt &&
      identity.systemIdentifier === view.systemIdentifier
    )
  }

  #try(deadline: Deadline | undefined, acquired: Acquired, whenNone?: () => void): void {
    const view = this.#sight.topology().primary
    const node = view && this.#sight.nodeOf(view.address)
    if (view === undefined || node === undefined) return this.#wait(deadline, acquired, whenNone)
    node.acquire((error, connection) => {
      if (connection === undefined) {
        this.#sight.report(view.address, error)
        // Nothing was sent: a server that is not there any more may have a successor.
        if (isServerGone(error)) this.#wait(deadline, acquired, whenNone)
        else acquired(withOutcome(error ?? new Error('no connection'), 'not-started'), undefined)
      } else if (this.isPrimary(connection)) acquired(undefined, connection)
      else {
        // It leads to a server that was replaced since, or to one that the last look did not see yet.
        this.#sight.report(view.address, undefined)
        connection.release(true)
        this.#wait(deadline, acquired, whenNone)
      }
    })
  }

  #wait(begun: Deadline | undefined, acquired: Acquired, whenNone: (() => void) | undefined): void {
    if (whenNone !== undefined && this.#sight.topology().primary === undefined) return whenNone()
    const refusal = this.#sight.refusal()
    if (refusal !== undefined) return acquired(withOutcome(refusal, 'not-started'), undefined)
    const deadline = begun ?? Deadline.after(this.#timeoutMs)
    if (deadline.passed()) return acquired(withOutcome(this.unknownError(), 'not-started'), undefined)
    // One connection that did not open is no change of the servers: the next one may.
    const mostMs =
      this.#sight.topology().primary === undefined ? deadline.leftMs() : Math.min(againMs, deadline.leftMs())
    this.#sight.whenChanged(mostMs, () => this.#try(deadline, acquired, whenNone))
  }

  /** What a statement is told that waited for a primary in vain. */
  unknownError(): MaestraError {
    const { nodes, primaryState } = this.#sight.topology()
    const seen = [...nodes.values()].map(seenAt).join('; ')
    return primaryState === 'two-primaries'
      ? new MaestraError(
          'two-primaries',
          `two servers take writes, and none of them is certainly the primary: ${seen}`,
          {
            hint: 'end the one that is not to be the primary; the pool goes on by itself',
          },
        )
      : new MaestraError('primary-unknown', `no primary was found within ${this.#timeoutMs} ms: ${seen}`, {
          hint: 'is the primary up, and among the hosts of the pool?',
        })
  }
}

function seenAt({ address, role, answers, lastError }: NodeView): string {
  return answers
    ? `${address} is ${role === 'replica' ? 'a replica' : role}`
    : `${address} does not answer${lastError ? ` (${lastError})` : ''}`
}

/** Errors of a connection that was never there, after which another server may answer. */
const goneCodes = new Set([
  '57P01',
  '57P02',
  '57P03',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOENT',
])

export function isServerGone(error: unknown): boolean {
  const code = codeOf(error)
  if (code !== undefined) return goneCodes.has(code) || code.startsWith('08')
  // node-postgres has no codes for its own: "Connection terminated unexpectedly" and its like.
  return (
    error instanceof Error && /^(?:Connection terminated|Client has encountered a connection error)/.test(error.message)
  )
}
