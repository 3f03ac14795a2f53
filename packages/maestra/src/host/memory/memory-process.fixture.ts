import type { Account, Signal } from '../host.js'
import type { MemoryFiles } from './memory-files.fixture.js'

/** What a program of a host in memory does; its exit code. One that is ended by a signal is not heard any more. */
export type MemoryProgram = (process: MemoryProcess) => number | Promise<number>

export type ProcessStart = {
  readonly pid: number
  /** The process that started it. */
  readonly parent: number
  readonly account: Account
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Its standard input, when that has ended. */
  readonly input: Promise<string>
  readonly files: MemoryFiles
  readonly write: (stream: 'out' | 'err', text: string) => void
  readonly startChild: (program: MemoryProgram, args: readonly string[], parent: MemoryProcess) => MemoryProcess
  readonly listen: (port: number, process: MemoryProcess) => void
}

/** How a process ended. */
export type MemoryEnd = { readonly code: number } | { readonly signal: Signal }

/** A process of a host in memory, as its program and its host see it. */
export class MemoryProcess {
  readonly #start: ProcessStart
  readonly #handlers = new Map<Signal, () => void>()
  readonly #held: Signal[] = []
  /** Called when it is continued or has ended. */
  #wake: () => void = () => {}
  #standsStill: Promise<void> | undefined
  #end: MemoryEnd | undefined
  #tellEnd: (end: MemoryEnd) => void = () => {}
  readonly ended: Promise<MemoryEnd>

  constructor(start: ProcessStart) {
    this.#start = start
    this.ended = new Promise((resolve) => {
      this.#tellEnd = resolve
    })
  }

  get pid(): number {
    return this.#start.pid
  }

  get parent(): number {
    return this.#start.parent
  }

  get account(): Account {
    return this.#start.account
  }

  get args(): readonly string[] {
    return this.#start.args
  }

  get env(): Readonly<Record<string, string>> {
    return this.#start.env
  }

  get input(): Promise<string> {
    return this.#start.input
  }

  /** As its account sees them. */
  get files(): MemoryFiles {
    return this.#start.files
  }

  /** How it ended; undefined while it runs or stands still. */
  get end(): MemoryEnd | undefined {
    return this.#end
  }

  get stopped(): boolean {
    return this.#standsStill !== undefined
  }

  out(text: string): void {
    if (this.#end === undefined) this.#start.write('out', text)
  }

  err(text: string): void {
    if (this.#end === undefined) this.#start.write('err', text)
  }

  /** Has a signal call this instead of ending the process. SIGKILL and SIGSTOP are not asked for. */
  on(signal: Signal, handler: () => void): void {
    this.#handlers.set(signal, handler)
  }

  startChild(program: MemoryProgram, args: readonly string[] = []): MemoryProcess {
    return this.#start.startChild(program, args, this)
  }

  /** Takes a port of the loopback address until it ends. */
  listen(port: number): void {
    this.#start.listen(port, this)
  }

  /** Lets others go on; longer where it was made to stand still. It does not return where the process has ended. */
  async moment(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#standsStill !== undefined) await this.#standsStill
    if (this.#end !== undefined) await new Promise(() => {})
  }

  /** Runs until a signal ends it. */
  async forEver(): Promise<never> {
    return await new Promise(() => {})
  }

  /** Runs its program. */
  run(program: MemoryProgram): void {
    // Not in the call that starts it: whoever starts it is to know of it first.
    const running = new Promise((resolve) => setImmediate(resolve)).then(() => program(this))
    running.then(
      (code) => this.finish({ code }),
      (error) => {
        this.err(String(error))
        this.finish({ code: 1 })
      },
    )
  }

  take(signal: Signal): void {
    if (this.#end !== undefined) return
    if (signal === 'SIGKILL') this.finish({ signal })
    else if (signal === 'SIGSTOP') this.#standStill()
    else if (signal === 'SIGCONT') this.#goOn()
    else if (this.#standsStill !== undefined) this.#held.push(signal)
    else this.#answer(signal)
  }

  finish(end: MemoryEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    this.#goOn()
    this.#tellEnd(end)
  }

  #answer(signal: Signal): void {
    const handler = this.#handlers.get(signal)
    if (handler === undefined) this.finish({ signal })
    else handler()
  }

  #standStill(): void {
    this.#standsStill ??= new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #goOn(): void {
    this.#standsStill = undefined
    this.#wake()
    // What was sent to it meanwhile reaches it now.
    for (const signal of this.#held.splice(0)) this.take(signal)
  }
}
