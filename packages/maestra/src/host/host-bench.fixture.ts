import { join } from 'node:path'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { afterEach, beforeEach } from 'vitest'
import type { Account, Daemon, Host } from './host.js'

/** A host and an empty directory of it that every account can enter; `dispose` removes the directory. */
export type HostUnderTest = {
  readonly host: Host
  readonly directory: string
  readonly dispose: () => Promise<void>
}

/** What the suites of a host share. Everything is arranged and looked at through the host itself. */
export type HostBench = {
  /** The host of the test that runs. */
  readonly host: Host
  /** A path in the directory of the test. */
  at(...names: readonly string[]): string
  isRoot(): boolean
  /** Runs a script of the shell with $1, $2, ... */
  shell(script: string, ...args: readonly string[]): Promise<string>
  /** Starts a script of the shell, which is ended after the test. */
  daemon(script: string, ...args: readonly string[]): Promise<Daemon>
  /** Has a daemon that the test started itself ended after the test. */
  endLater(daemon: Daemon): void
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
      if (daemon.exit() === undefined) host.processes.signal(daemon.pid, 'SIGKILL')
      await exitOf(daemon)
    }
    await made.dispose()
  })

  const at = (...names: readonly string[]): string => join(made.directory, ...names)
  return {
    host,
    at,
    isRoot: () => host.processes.self().uid === 0,
    shell: async (script, ...args) => {
      const { exitCode, stdout, stderr } = await host.processes.run('/bin/sh', ['-c', script, 'sh', ...args], {})
      if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
      return stdout
    },
    daemon: async (script, ...args) => {
      const started = await host.processes.startDaemon('/bin/sh', ['-c', script, 'sh', ...args], { logFile: at('log') })
      daemons.push(started)
      return started
    },
    endLater: (daemon) => {
      daemons.push(daemon)
    },
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
