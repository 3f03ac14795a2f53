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
    const told = thrownLater(callback)
    work((error, result) => {
      if (!withRelease) return told(error, result)
      const client = result as { release(error?: Error | boolean): void } | undefined
      told(error, result, client === undefined ? () => {} : (failure) => client.release(failure))
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

/** What an application's callback throws is an uncaught exception, as with node-postgres, and holds up nobody who is told next. */
export function thrownLater<Told extends unknown[]>(callback: (...told: Told) => void): (...told: Told) => void {
  return (...told) => {
    try {
      callback(...told)
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }
}
