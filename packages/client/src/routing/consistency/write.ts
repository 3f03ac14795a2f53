import type { PrimaryIncarnation } from './primary-incarnation.js'
import type { Scope } from './scope.js'

/** One statement that may commit, on its way. Made by `Commits.writeSent`; nobody else changes it. */
export type Write = {
  readonly scopes: readonly Scope[]
  readonly incarnation: PrimaryIncarnation | undefined
  /** The number of the connection that carries it. */
  readonly connection: number
  /** Its own number: it was sent behind all that has a lower one. */
  readonly sent: number
  /** The number of its acknowledgement; 0 until then. */
  acknowledged: number
  surelySynchronous: boolean
  /** A capture is under way behind its own Sync, which will cover it. */
  isFollowed: boolean
  state: 'sent' | 'nothing' | 'pending' | 'provisional' | 'confirmed' | 'uncertain'
}
