import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { PoolStatistics } from '../../packages/client/src/index.js'

type Answer = {
  readonly number: number
  readonly value?: number
  readonly stats?: PoolStatistics
  readonly error?: string
}

/** A pool in a process of its own, which knows of this one's writes by tokens alone. */
export class TokenReader {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  #number = 0

  constructor(connectionString: string) {
    this.#child = fork(fileURLToPath(new URL('token-reader-process.js', import.meta.url)), [connectionString], {
      execArgv: [],
    })
    this.#child.on('message', (message) => {
      const answer = message as Answer
      const waiting = this.#waiting.get(answer.number)
      this.#waiting.delete(answer.number)
      if (answer.error === undefined) waiting?.resolve(answer)
      else waiting?.reject(new Error(answer.error))
    })
    this.#child.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`the second process ended with ${code}`))
    })
  }

  /** What a read shows that carries the token. */
  async read(token: string | undefined, id: number): Promise<number | undefined> {
    return (await this.#ask({ token, id })).value
  }

  async stats(): Promise<PoolStatistics> {
    const { stats } = await this.#ask({})
    if (stats === undefined) throw new Error('the second process told no statistics')
    return stats
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }

  #ask(question: { readonly token?: string | undefined; readonly id?: number }): Promise<Answer> {
    this.#number += 1
    const number = this.#number
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject })
      this.#child.send({ number, ...question })
    })
  }
}
