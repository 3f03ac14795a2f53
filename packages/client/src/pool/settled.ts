/** What a callback of node-postgres is told; `connect` gives the client's release as well. */
export type Told<T> = (
  error: Error | undefined,
  result: T | undefined,
  release?: (error?: Error | boolean) => void,
) => void

/** Runs `work` and tells the callback, or gives a promise where there is none, as node-postgres does. */
export function settled<T>(
  callback: Told<T> | undefined,
  work: (told: (error: Error | undefined, result: T | undefined) => void) => void,
  withRelease = false,
): Promise<T> | undefined {
  if (callback !== undefined) {
    work((error, result) => {
      if (!withRelease) return callback(error, result)
      const client = result as { release(error?: Error | boolean): void } | undefined
      callback(error, result, client === undefined ? () => {} : (failure) => client.release(failure))
    })
    return undefined
  }
  return new Promise<T>((resolve, reject) => {
    work((error, result) => (error ? reject(error) : resolve(result as T)))
  }).catch((error: Error) => {
    // So that the stack leads to whoever called, not to the socket.
    if (error instanceof Error) Error.captureStackTrace(error)
    throw error
  })
}
