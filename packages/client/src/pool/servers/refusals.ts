import { isServerGone } from './primary.js'

/** Why servers let nobody in. */
export class Refusals {
  readonly #servers: number
  readonly #errors = new Map<string, Error>()

  constructor(servers: number) {
    this.#servers = servers
  }

  /** Opens a connection to a server, and keeps in mind why it could not be opened. */
  async opening<T>(address: string, open: () => Promise<T>): Promise<T> {
    try {
      const opened = await open()
      this.#errors.delete(address)
      return opened
    } catch (error) {
      this.#errors.set(address, error as Error)
      throw error
    }
  }

  /** The error with which every server refuses this application, when waiting does not help: a wrong password, an unknown name. */
  ofAll(): Error | undefined {
    if (this.#errors.size < this.#servers) return undefined
    const errors = [...this.#errors.values()]
    const [first] = errors
    return first !== undefined && errors.every((error) => !isServerGone(error)) ? copyOf(first) : undefined
  }
}

/** Each caller gets an error of its own: what is added to it is about one statement. */
function copyOf(error: Error): Error {
  return Object.assign(Object.create(Object.getPrototypeOf(error) as object) as Error, error, {
    message: error.message,
    stack: error.stack,
  })
}
