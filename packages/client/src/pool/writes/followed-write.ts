import type { Write } from '../../routing/consistency/write.js'
import type { QueryCallback } from '../calls/query-arguments.js'
import type { ServerConnection } from '../connections/server-connection.js'

/**
 * Sends a write and what is asked behind its Sync in one packet (rule W2), so that who reads what was just written finds its position known.
 * Calls back when the write has ended; the connection goes back when the other answer is there as well.
 */
export function sendFollowed(
  connection: ServerConnection,
  write: (told: QueryCallback) => Write | undefined,
  follow: (write: Write, over: () => void) => void,
  told: QueryCallback,
): void {
  const { stream } = connection.client.connection
  let failed: Error | undefined
  let underWay = 2
  const over = () => {
    underWay -= 1
    if (underWay > 0) return
    connection.isPipelined = false
    connection.giveBack(failed)
  }
  connection.isPipelined = true
  stream.cork()
  const sent = write((error, result) => {
    failed = error
    // What is under way on it yet is asked elsewhere when this server hangs.
    connection.isDispensable = true
    over()
    told(error, result)
  })
  if (sent === undefined) over()
  else follow(sent, over)
  stream.uncork()
}
