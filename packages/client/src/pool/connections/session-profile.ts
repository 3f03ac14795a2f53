import type pg from 'pg'

/** Why what was sent to a new connection did not succeed. */
export type ProfileFailure = { readonly error: unknown }

/**
 * Runs `listeners`, which may send statements to the new connection, and resolves when those have ended: with the first
 * failure, or with undefined (rule S4). Only what is sent at once is looked at; later it is nobody's session profile.
 */
export function whileRecording(client: pg.ClientBase, listeners: () => void): Promise<ProfileFailure | undefined> {
  const sent: Promise<ProfileFailure | undefined>[] = []
  const query = client.query
  const recording = (config: unknown, values?: unknown, callback?: unknown): unknown => {
    const told = [values, callback].find((argument) => typeof argument === 'function')
    if (told === undefined) {
      const result: unknown = Reflect.apply(query, client, [config, values])
      if (result instanceof Promise)
        sent.push(
          result.then(
            () => undefined,
            (error) => ({ error }),
          ),
        )
      return result
    }
    sent.push(
      new Promise((resolve) => {
        const both = (error: unknown, result: unknown) => {
          resolve(error ? { error } : undefined)
          Reflect.apply(told as (error: unknown, result: unknown) => void, client, [error, result])
        }
        Reflect.apply(query, client, typeof values === 'function' ? [config, both] : [config, values, both])
      }),
    )
    return undefined
  }
  Object.defineProperty(client, 'query', { value: recording, configurable: true, writable: true })
  try {
    listeners()
  } finally {
    delete (client as { query?: unknown }).query
  }
  return Promise.all(sent).then((outcomes) => outcomes.find((outcome) => outcome !== undefined))
}
