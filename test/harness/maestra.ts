import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import type { User } from './as-user.js'
import type { Workspace } from './workspace.js'

/** The committed bin of the command line. */
export const bin = fileURLToPath(new URL('../../packages/maestra/bin/maestra.js', import.meta.url))

/** How a command may take to end, in ms, on a machine that is busy with other things. */
const endsWithinMs = 45_000

export type MaestraRun = {
  /** What a shell would say: 128 and the number of the signal for a process that a signal ended. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export type MaestraOptions = {
  /** The workspace's own by default. */
  readonly cwd?: string
  /** Instead of the workspace's; nothing of the environment of the tests is passed on. */
  readonly env?: Readonly<Record<string, string>>
  readonly user?: User | undefined
  /** Instead of the bin of this clone. */
  readonly script?: string
}

/** Runs a command to its end. */
export async function maestra(
  workspace: Workspace,
  args: readonly string[],
  options: MaestraOptions = {},
): Promise<MaestraRun> {
  return await startMaestra(workspace, args, options).end()
}

/** A command that runs while the test goes on. */
export function startMaestra(
  workspace: Workspace,
  args: readonly string[],
  options: MaestraOptions = {},
): RunningMaestra {
  return run(process.execPath, [options.script ?? bin, ...args], `maestra ${args.join(' ')}`, workspace, options)
}

/** A command on a terminal of its own, where there is a `script` of Linux to make one; elsewhere without. */
export function startOnTerminal(workspace: Workspace, command: string): RunningMaestra {
  const env = { ...workspace.env, TERM: 'xterm', SHELL: '/bin/sh' }
  const [program, args] = hasTerminal ? ['script', ['-qefc', command, '/dev/null']] : ['sh', ['-c', command]]
  return run(program, args, command, workspace, { env })
}

/** Whether `startOnTerminal` makes one. */
export const hasTerminal = process.platform === 'linux' && existsSync('/usr/bin/script')

function run(
  program: string,
  args: readonly string[],
  words: string,
  workspace: Workspace,
  options: MaestraOptions,
): RunningMaestra {
  const child = spawn(program, args, {
    cwd: options.cwd ?? workspace.directory,
    env: { ...(options.env ?? workspace.env) },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...options.user,
  })
  child.stdin.on('error', () => {})
  return new RunningMaestra(child, words)
}

export class RunningMaestra {
  readonly #child: ChildProcess
  readonly #words: string
  #stdout = ''
  #stderr = ''
  #code: number | undefined

  constructor(child: ChildProcess, words: string) {
    this.#child = child
    this.#words = words
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
    })
    child.on('error', (error) => {
      this.#stderr += String(error)
      this.#code = -1
    })
    child.on('close', (code, signal) => {
      this.#code = code ?? 128 + (signal === 'SIGKILL' ? 9 : signal === 'SIGINT' ? 2 : 15)
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  signal(name: 'SIGINT' | 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): void {
    this.#child.kill(name)
  }

  /** As from the keyboard. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Waits until its output holds what is searched; the match. */
  async prints(searched: RegExp): Promise<RegExpExecArray> {
    return await this.#wait(`print ${searched}`, () => {
      const found = searched.exec(this.#stdout) ?? searched.exec(this.#stderr)
      if (found !== null) return { done: true, value: found }
      if (this.#code !== undefined)
        throw new Error(`${this.#words} ended without printing ${searched}: ${this.#seen()}`)
      return { done: false, seen: this.#seen() }
    })
  }

  async end(): Promise<MaestraRun> {
    return await this.#wait('end', () => {
      if (this.#code === undefined) return { done: false, seen: this.#seen() }
      return { done: true, value: { code: this.#code, stdout: this.#stdout, stderr: this.#stderr } }
    })
  }

  #seen(): string {
    return `code ${this.#code}, stdout ${JSON.stringify(this.#stdout)}, stderr ${JSON.stringify(this.#stderr)}`
  }

  async #wait<T>(what: string, look: () => Look<T>): Promise<T> {
    const options = { awaited: `${this.#words} to ${what}`, deadline: Deadline.after(endsWithinMs), everyMs: 5 }
    return await waitUntil(look, options).catch((error) => {
      if (this.#code === undefined) this.#child.kill('SIGKILL')
      throw error
    })
  }
}
