import type pg from 'pg'
import { MaestraError } from '../base/error.js'
import { type Consistency, isConsistency } from '../routing/consistency/level.js'

/** What a pool takes beside the options of `pg.Pool`. Times are milliseconds. `max` is for each server. */
export type RoutingOptions = {
  /** Connections to all servers together. No limit by default. */
  readonly maxTotal?: number | undefined
  /** What reads have to see unless they say otherwise: `session` by default, all that was written through the pool. */
  readonly consistency?: Consistency | undefined
  /** Replicas that are later than this are not used. No limit by default. */
  readonly maxLag?: number | undefined
  /** How long a read waits for a replica before the primary answers. 20 by default. */
  readonly parkMs?: number | undefined
  /**
   * How long a statement waits for a primary, and a read for the position of a commit or its turn on the primary.
   * `connectionTimeoutMillis` by default, where that is set, else 10,000.
   */
  readonly waitMs?: number | undefined
  /** For how long a primary that does not answer counts as one that does. 1000 by default. */
  readonly primaryFreshMs?: number | undefined
  /** Connections to the primary that reads of late replicas never take. A fifth of `max` by default, at least one. */
  readonly reserve?: number | undefined
  /** While no primary answers: `serve` (the default) has replicas answer with the best state that there is, `wait` holds reads back. */
  readonly whenPrimaryAway?: 'serve' | 'wait' | undefined
  /** A read whose scope has lost writes in a promotion: the primary answers by default, `refuse` has it fail. */
  readonly whenWritesLost?: 'primary' | 'refuse' | undefined
  /** Keeps the reads of a scope on one node as long as that one will do. */
  readonly sticky?: boolean | undefined
  /**
   * Whether small reads on replicas share connections, one behind the other. True by default, except with `query_timeout`. With `prepared`
   * their texts stay prepared there when they come again and again, with the types that their parameters had then.
   */
  readonly lanes?: boolean | 'prepared' | undefined
  /** Keys that sign tokens: the first one signs, all are taken. Without, tokens are not signed. */
  readonly tokenKeys?: readonly string[] | undefined
}

export type PoolOptions = pg.PoolConfig & RoutingOptions

/** The options with their defaults. */
export type Routing = {
  readonly maxTotal: number
  readonly consistency: Consistency
  readonly maxLagMs: number
  readonly parkMs: number
  readonly waitMs: number
  readonly primaryFreshMs: number
  readonly reserve: number
  readonly whenPrimaryAway: 'serve' | 'wait'
  readonly whenWritesLost: 'primary' | 'refuse'
  readonly sticky: boolean
  readonly lanes: boolean | 'prepared'
}

/** Throws bad-value for what none of them may be. */
export function routingOf(options: PoolOptions): Routing {
  const max = options.max ?? 10
  const consistency = options.consistency ?? 'session'
  if (!isConsistency(consistency)) throw notOneOf('consistency', consistency, ['session', 'strong', 'eventual'])
  return {
    maxTotal: number('maxTotal', options.maxTotal, Number.POSITIVE_INFINITY, 1),
    consistency,
    maxLagMs: number('maxLag', options.maxLag, Number.POSITIVE_INFINITY, 0),
    parkMs: number('parkMs', options.parkMs, 20, 0),
    waitMs: number('waitMs', options.waitMs, options.connectionTimeoutMillis || 10_000, 0),
    primaryFreshMs: number('primaryFreshMs', options.primaryFreshMs, 1000, 100),
    reserve: number('reserve', options.reserve, max === 1 ? 0 : Math.max(1, Math.ceil(max / 5)), 0),
    whenPrimaryAway: word('whenPrimaryAway', options.whenPrimaryAway, ['serve', 'wait']),
    whenWritesLost: word('whenWritesLost', options.whenWritesLost, ['primary', 'refuse']),
    sticky: options.sticky ?? false,
    lanes: lanesOf(options.lanes),
  }
}

function lanesOf(given: RoutingOptions['lanes']): boolean | 'prepared' {
  if (given === undefined) return true
  if (typeof given === 'boolean' || given === 'prepared') return given
  throw notOneOf('lanes', given, ['true', 'false', 'prepared'])
}

function number(name: string, given: number | undefined, byDefault: number, least: number): number {
  if (given === undefined) return byDefault
  if (typeof given === 'number' && given >= least) return given
  throw new MaestraError('bad-value', `the option ${name} of the pool is ${String(given)}`, {
    hint: `give a number, ${least} or more`,
  })
}

/** The first one is the default. */
function word<Word extends string>(name: string, given: Word | undefined, words: readonly [Word, ...Word[]]): Word {
  const found = given === undefined ? words[0] : words.find((each) => each === given)
  if (found === undefined) throw notOneOf(name, given, words)
  return found
}

function notOneOf(name: string, given: unknown, words: readonly string[]): MaestraError {
  return new MaestraError('bad-value', `the option ${name} of the pool is ${String(given)}`, {
    hint: `give one of ${words.join(', ')}`,
  })
}
