import type { QueryCall, QueryCallback } from '../../calls/query-arguments.js'
import { sendCall } from '../send-call.js'
import type { ServerConnection } from '../server-connection.js'

/** The use of a connection for one read, alone on it or in a lane among others. */
export type Seat = {
  readonly connection: ServerConnection
  readonly isShared: boolean
  /**
   * Runs the read and gives the seat back behind its answer. Calls back once; or calls `stuck` once, when what stands before it takes
   * long: it is to be asked elsewhere then.
   */
  readonly send: (call: QueryCall, told: QueryCallback, stuck: () => void) => void
  /**
   * Asks how far the server has replayed, in one flight with what is sent next and right before it: when that is answered, the connection
   * knows the position (rule R3). Only where it is shared.
   * @param seesReceiver Whether the role sees what the WAL receiver does.
   */
  readonly look: (seesReceiver: boolean) => void
  /** Instead of a send. */
  readonly giveBack: () => void
  /** The connection is of no use any more, to nobody. */
  readonly close: () => void
}

/** A connection of its own. */
export function ownSeat(connection: ServerConnection): Seat {
  connection.isDispensable = true
  return {
    connection,
    isShared: false,
    send: (call, told) => {
      const { parameterChanges } = connection
      sendCall(connection, call, (error, result) => {
        giveBackBehindRead(connection, parameterChanges, error)
        told(error, result)
      })
    },
    look: () => {},
    giveBack: () => connection.release(),
    close: () => connection.release(true),
  }
}

/** What a read changed would be there for whoever has the connection next (rule S2). */
export function giveBackBehindRead(
  connection: ServerConnection,
  parameterChangesBefore: number,
  error: Error | undefined,
): void {
  if (connection.parameterChanges === parameterChangesBefore) connection.giveBack(error)
  else connection.release(true)
}
