import { nowMs } from '../base/clock.js'
import { MaestraError, messageOf } from '../base/error.js'
import { nextNumber } from './sequence.js'
import { parseProbe, parseProgress, type Row } from './topology/parse-probe.js'
import { positionName, positionQuery, probeQuery } from './topology/probe-query.js'
import type { Progress } from './topology/server-state.js'
import type { Address } from './topology/topology.js'
import type { TopologyInput } from './topology/topology-input.js'
import type { Connect, WatchConnection } from './watch-connection.js'

/** An answer with its numbers of the process-wide count: see nextNumber(). */
export type Answer = {
  readonly rows: readonly Row[]
  /** Of the connection, taken when it was open. */
  readonly connection: number
  /** Taken before the text was sent, and when its answer was there. */
  readonly sent: number
  readonly received: number
}

export type NodeProgress = Omit<Answer, 'rows'> & { readonly progress: Progress }

export type WatchedNodeOptions = {
  readonly address: Address
  readonly connect: Connect
  /** For a connection, and for each answer. */
  readonly deadlineMs: number
  readonly random: () => number
  /** Whether its timers keep the process alive. */
  readonly keepsAlive: boolean
  readonly heard: (input: TopologyInput) => void
  /** When to probe again, in ms from now. */
  readonly pauseMs: () => number
}

/** Between the starts of two probes: many statements of a pool may fail at once. */
const leastGapMs = 20

type Open = {
  readonly connection: WatchConnection
  readonly number: number
  /** One server process answers all that is asked over it, so statements stay prepared; through a pooler they may not. */
  isDirect: boolean
}

/** One server under watch: one connection, and one probe after the other on it. */
export class WatchedNode {
  readonly #options: WatchedNodeOptions
  #open: Promise<Open> | undefined
  #connected: Open | undefined
  /** Connections that were opened after it lead elsewhere. */
  #outdated: Open | undefined
  #connecting: AbortController | undefined
  #timer: NodeJS.Timeout | undefined
  #probing = false
  #startedMs = Number.NEGATIVE_INFINITY
  #again = false
  #stopped = true

  constructor(options: WatchedNodeOptions) {
    this.#options = options
  }

  start(): void {
    this.#stopped = false
    this.probe()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#connecting?.abort()
    this.#drop()
  }

  /** Probes now; while a probe is under way, once more behind it. However often it is called, not in a busy loop. */
  probe(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    if (this.#probing) {
      this.#again = true
      return
    }
    const tooSoonMs = this.#startedMs + leastGapMs - nowMs()
    if (tooSoonMs > 0) {
      this.#wake(tooSoonMs)
      return
    }
    this.#startedMs = nowMs()
    this.#probing = true
    void this.#probe().finally(() => {
      this.#probing = false
      if (this.#again) {
        this.#again = false
        this.probe()
      } else this.#schedule()
    })
  }

  /** Probes by a connection that is opened anew: those that others have opened since lead elsewhere than the one that there is. */
  renew(): void {
    this.#outdated = this.#connected
    this.probe()
  }

  /** When the next probe is due has changed. */
  reschedule(): void {
    if (!this.#probing) this.#schedule()
  }

  /** Runs a small text on the watching connection. Rejects when there is none, or no answer within the deadline. */
  async ask(text: string): Promise<Answer> {
    return await this.#askOpened(text)
  }

  /** Asks how far the server has come, and tells the topology. */
  async progress(): Promise<NodeProgress> {
    const { rows, ...numbers } = await this.#askOpened(positionQuery, positionName)
    const progress = parseProgress(onlyRow(rows))
    this.#hear({ kind: 'progressed', address: this.#options.address, ...numbers, progress })
    return { ...numbers, progress }
  }

  async #askOpened(text: string, name?: string): Promise<Answer> {
    try {
      const open = await this.#opened()
      return await this.#ask(open, text, open.isDirect ? name : undefined)
    } catch (error) {
      // A server that hangs is found out by whoever asks first. What else goes wrong, the next probe sees.
      if (isHung(error)) this.#failed(error)
      throw error
    }
  }

  async #probe(): Promise<void> {
    const { address } = this.#options
    if (this.#outdated !== undefined && this.#outdated === this.#connected) this.#drop()
    this.#outdated = undefined
    try {
      const open = await this.#opened()
      const { rows, ...numbers } = await this.#ask(open, probeQuery)
      const { processId } = open.connection
      const state = parseProbe(onlyRow(rows))
      open.isDirect = processId === state.backendPid
      this.#hear({ kind: 'answered', address, ...numbers, processId, state })
    } catch (error) {
      this.#failed(error)
    }
  }

  async #ask({ connection, number }: Open, text: string, name?: string): Promise<Answer> {
    const sent = nextNumber()
    const rows = await this.#withDeadline(
      connection.query(text, name),
      `no answer within ${this.#options.deadlineMs} ms`,
    )
    return { rows, connection: number, sent, received: nextNumber() }
  }

  #failed(error: unknown): void {
    const { address, random } = this.#options
    this.#drop()
    this.#hear({ kind: 'failed', address, hung: isHung(error), error: messageOf(error), random: random() })
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.#wake(Math.max(0, this.#options.pauseMs()))
  }

  #wake(afterMs: number): void {
    this.#timer = setTimeout(() => this.probe(), afterMs)
    if (!this.#options.keepsAlive) this.#timer.unref()
  }

  #opened(): Promise<Open> {
    if (this.#stopped)
      return Promise.reject(new MaestraError('interrupted', `${this.#options.address} is not watched any more`))
    this.#open ??= this.#connect()
    return this.#open
  }

  async #connect(): Promise<Open> {
    const { address, connect, deadlineMs } = this.#options
    const given = new AbortController()
    this.#connecting = given
    const connecting = connect(address, given.signal)
    try {
      const connection = await this.#withDeadline(connecting, `no connection within ${deadlineMs} ms`)
      const open: Open = { connection, number: nextNumber(), isDirect: false }
      if (this.#stopped) throw new MaestraError('interrupted', `the watch of ${address} was stopped`)
      connection.onBreak((error) => this.#broke(open, error))
      this.#connecting = undefined
      this.#connected = open
      return open
    } catch (error) {
      given.abort(error)
      // What comes all the same is not kept.
      void connecting.then((connection) => connection.close()).catch(() => {})
      this.#open = undefined
      throw error
    }
  }

  #broke(open: Open, error: Error): void {
    if (this.#connected !== open) return
    this.#connected = undefined
    this.#open = undefined
    this.#hear({ kind: 'lost', address: this.#options.address, connection: open.number, error: messageOf(error) })
  }

  /** Ends the connection, and with it whatever waits for an answer on it. One that is being made ends with its own wait. */
  #drop(): void {
    const open = this.#connected
    if (open === undefined) return
    this.#connected = undefined
    this.#open = undefined
    open.connection.close()
  }

  #withDeadline<T>(promise: Promise<T>, words: string): Promise<T> {
    const { deadlineMs, keepsAlive, address } = this.#options
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new MaestraError('deadline-passed', `${address}: ${words}`))
      }, deadlineMs)
      if (!keepsAlive) timer.unref()
      promise.then(
        (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        (error: unknown) => {
          clearTimeout(timer)
          reject(error)
        },
      )
    })
  }

  #hear(input: TopologyInput): void {
    if (!this.#stopped) this.#options.heard(input)
  }
}

function isHung(error: unknown): boolean {
  return error instanceof MaestraError && error.code === 'deadline-passed'
}

function onlyRow(rows: readonly Row[]): Row {
  const [row] = rows
  if (row === undefined) throw new MaestraError('bad-value', 'a probe has no row')
  return row
}
