import { AsyncLocalStorage } from 'node:async_hooks'
import { setImmediate } from 'node:timers/promises'
import type { TokenNotSent } from '../pool/pool.js'
import type { CausalityPool, CausalitySession } from './causality-pool.js'

class FakeSession implements CausalitySession {
  #token: string | undefined
  #listener = (): void => {}

  constructor(token?: string) {
    this.#token = token
  }

  token(): string | undefined {
    return this.#token
  }

  onToken(listener: () => void): void {
    this.#listener = listener
  }

  wrote(token: string): void {
    this.#token = token
    this.#listener()
  }
}

/** A pool without a database: its tokens are `after-<what was written>`, and it takes no others. */
export class FakePool implements CausalityPool {
  readonly #sessions = new AsyncLocalStorage<FakeSession>()
  readonly events: { readonly event: string; readonly detail: unknown }[] = []

  session<T>(fn: (session: CausalitySession) => T): T {
    return this.#run(new FakeSession(), fn)
  }

  withToken<T>(token: string, fn: (session: CausalitySession) => T): T {
    if (token.startsWith('after-')) return this.#run(new FakeSession(token), fn)
    this.events.push({ event: 'token-invalid', detail: token })
    return this.session(fn)
  }

  emit(event: 'token-not-sent', detail: TokenNotSent): void {
    this.events.push({ event, detail })
  }

  /** Settles when its LSN is known. */
  async write(what: string): Promise<void> {
    await setImmediate()
    this.#sessions.getStore()?.wrote(`after-${what}`)
  }

  /** The token that a read in this session goes by. */
  floor(): string {
    const session = this.#sessions.getStore()
    return session === undefined ? 'no session' : (session.token() ?? 'nothing')
  }

  #run<T>(session: FakeSession, fn: (session: CausalitySession) => T): T {
    return this.#sessions.run(session, () => fn(session))
  }
}
