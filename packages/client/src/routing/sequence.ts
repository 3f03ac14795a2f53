let last = 0

/**
 * The next number of one process-wide count, from 1. Each connection takes one when it is open, and each look takes one
 * before it is sent. So a connection with a smaller number than a look was open before that look was made.
 */
export function nextNumber(): number {
  last += 1
  return last
}
