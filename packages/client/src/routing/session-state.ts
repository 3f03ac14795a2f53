import type { Statement } from './statement/statement.js'

/**
 * Where the statements of one user of the pool run. `once`: a single statement of `pool.query`. `free`: a client that borrows a
 * server for each statement. `pinned`: a client that keeps one connection until it is released (rule S2).
 */
export type SessionState =
  | { readonly kind: 'once' }
  | { readonly kind: 'free' }
  | { readonly kind: 'pinned'; readonly why: PinReason }

/** Why a client keeps its connection. */
export type PinReason =
  /** It ran something that is no proven read. */
  | 'statement'
  /** It ran a cursor, a stream or another object with `submit`. */
  | 'submittable'
  /** Somebody asked for what only one connection has: `processID`, `connection`, notifications. */
  | 'touched'
  /** There is one server only, or the client was asked for in the primary's name. */
  | 'from-the-start'

/** What happens to a session. */
export type SessionInput =
  | { readonly kind: 'statement'; readonly isRead: boolean }
  | { readonly kind: 'submittable' }
  | { readonly kind: 'touched' }
  | { readonly kind: 'released' }

export const once: SessionState = { kind: 'once' }
export const free: SessionState = { kind: 'free' }

export function pinned(why: PinReason): SessionState {
  return { kind: 'pinned', why }
}

/** The state after an input. Nothing but the release ends a pin: what a connection has seen cannot be taken back. */
export function nextState(state: SessionState, input: SessionInput): SessionState {
  if (state.kind !== 'free') return input.kind === 'released' ? free : state
  switch (input.kind) {
    case 'released':
      return state
    case 'statement':
      // A read leaves nothing behind: a connection on which one did is closed.
      return input.isRead ? state : pinned('statement')
    case 'submittable':
      return pinned('submittable')
    case 'touched':
      return pinned('touched')
  }
}

/**
 * Why a session may not run a statement at all: each statement of `pool.query` has a connection of its own, so BEGIN there would
 * begin a transaction that nobody goes on with (rule S1).
 */
export function refusalOf(state: SessionState, { kind }: Statement): 'transaction-on-pool' | undefined {
  if (state.kind !== 'once') return undefined
  return kind === 'begin' || kind === 'commit' || kind === 'rollback' || kind === 'savepoint'
    ? 'transaction-on-pool'
    : undefined
}
