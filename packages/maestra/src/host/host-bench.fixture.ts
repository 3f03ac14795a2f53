import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterEach, beforeEach } from 'vitest'
import type { Account, Daemon, DaemonOptions, Host } from './host.js'
import type { Command, SuiteProgram } from './suite-programs.fixture.js'

/** A host and an empty directory of it that every account can enter; `dispose` removes the directory. */
export type HostUnderTest = {
  readonly host: Host
  readonly directory: string
  readonly outside: Outside
  readonly dispose: () => Promise<void>
}

/** What the suites arrange and look at, and the interface of a host has no word for. */
export type Outside = {
  /** How a program of the suites is run on this host. */
  command(program: SuiteProgram, ...args: readonly string[]): Command
  /** Something that is neither file, directory nor link. */
  fifo(path: string): Promise<void>
  /** A second name of a file. */
  hardLink(from: string, to: string): Promise<void>
  chmod(path: string, mode: number): Promise<void>
  /** A link is not followed. Only a host whose account is root can do it. */
  chown(path: string, owner: Account): Promise<void>
  readLink(path: string): Promise<string>
}

/** What the suites of a host share. Everything is arranged and looked at through the host itself, or from outside. */
export type HostBench = {
  /** The host of the test that runs. */
  readonly host: Host
  readonly outside: Outside
  /** A path in the directory of the test. */
  at(...names: readonly string[]): string
  isRoot(): boolean
  /** Starts a program of the suites with its output in `log`; it and what it started are ended after the test. */
  daemon(program: SuiteProgram, args?: readonly string[], options?: Partial<DaemonOptions>): Promise<Daemon>
  /** What the daemons have written. */
  log(): Promise<string>
  put(path: string, content?: string | Uint8Array, mode?: number): Promise<void>
  modeOf(path: string): Promise<string | undefined>
  /** An account that is not the one of the host where that is root, which alone may give files away; else its own. */
  owner(): Promise<Account>
}

/** Makes a host and a directory anew for each test of the suite that calls it. */
export function hostBench(make: () => Promise<HostUnderTest>): HostBench {
  let made: HostUnderTest
  const daemons: Daemon[] = []
  const host: Host = {
    get name() {
      return made.host.name
    },
    get files() {
      return made.host.files
    },
    get processes() {
      return made.host.processes
    },
    get network() {
      return made.host.network
    },
  }

  beforeEach(async () => {
    made = await make()
  })

  afterEach(async () => {
    for (const daemon of daemons.splice(0)) {
      const below = await host.processes.descendants(daemon.pid)
      if (daemon.exit() === undefined) host.processes.signal(daemon.pid, 'SIGKILL')
      for (const pid of below) host.processes.signal(pid, 'SIGKILL')
      await exitOf(daemon)
    }
    await made.dispose()
  })

  const at = (...names: readonly string[]): string => join(made.directory, ...names)
  return {
    host,
    get outside() {
      return made.outside
    },
    at,
    isRoot: () => host.processes.self().uid === 0,
    daemon: async (program, args = [], options = {}) => {
      const command = made.outside.command(program, ...args)
      const started = await host.processes.startDaemon(...command, { logFile: at('log'), ...options })
      daemons.push(started)
      return started
    },
    log: async () => (await host.files.readText(at('log'))) ?? '',
    put: (path, content = '', mode = 0o600) => host.files.write(path, content, { mode }),
    modeOf: async (path) => (await host.files.stat(path))?.mode.toString(8),
    owner: async () => {
      const self = host.processes.self()
      const found = self.uid === 0 ? await host.processes.account('nobody') : self
      if (found === undefined) throw new Error('the host has no account nobody')
      return found
    },
  }
}

/** How a daemon ended, when it has. */
export async function exitOf(daemon: Daemon): Promise<string> {
  return await waitUntil(
    () => {
      const value = daemon.exit()
      return value === undefined ? { done: false, seen: 'it runs' } : { done: true, value }
    },
    { awaited: `process ${daemon.pid} to end`, deadline: Deadline.after(30_000), everyMs: 5 },
  )
}

/** Waits until something is so. */
export async function until(isTrue: () => Promise<boolean>, awaited: string): Promise<void> {
  await waitUntil(
    async () => ((await isTrue()) ? { done: true, value: undefined } : { done: false, seen: 'it is not so' }),
    { awaited, deadline: Deadline.after(30_000), everyMs: 5 },
  )
}

/** A part of a host with some of its operations replaced. The others are called on the part itself, which may have private fields. */
export function replaced<T extends object>(part: T, by: Partial<T>): T {
  return new Proxy(part, {
    get: (target, name) => {
      const member: unknown = Reflect.get(name in by ? by : target, name, target)
      return typeof member === 'function' && !(name in by) ? member.bind(target) : member
    },
  })
}
