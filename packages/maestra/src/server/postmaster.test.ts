import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { observeProcess, reloadServer, startServer, stopServer } from './postmaster.js'

const host = new LocalHost({ sync: false })
let directory: string
let data: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-postmaster-'))
  data = join(directory, 'data')
  mkdirSync(data)
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function leave(...lines: readonly (string | number)[]): void {
  writeFileSync(join(data, 'postmaster.pid'), lines.map((line) => `${line}\n`).join(''))
}

/** The lines of a postmaster.pid of PostgreSQL 18. */
function linesOf(pid: number, status = 'ready   '): readonly (string | number)[] {
  return [pid, data, 1_790_000_000, 6000, '/tmp', '127.0.0.1', '  1234567         0', status]
}

/** A process that works in a directory, as a postmaster does, for as long as `use` takes. */
async function withProcessIn(folder: string, use: (pid: number) => Promise<void>): Promise<void> {
  const daemon = await host.processes.startDaemon('/bin/sh', ['-c', 'cd "$1" && exec sleep 1000', 'sh', folder], {
    logFile: join(directory, 'log'),
  })
  try {
    while ((await host.processes.identify(daemon.pid))?.workingDirectory !== folder) {
      if (daemon.exit() !== undefined) throw new Error(daemon.exit())
    }
    await use(daemon.pid)
  } finally {
    host.processes.signal(daemon.pid, 'SIGKILL')
  }
}

/** The host as a caller sees it that may not look at the working directories of others. */
function withoutWorkingDirectories(uid: number | undefined): Host {
  const processes = Object.create(host.processes) as Host['processes']
  processes.identify = async (pid) => {
    const found = await host.processes.identify(pid)
    return found && { ...found, workingDirectory: undefined, uid }
  }
  return { name: host.name, files: host.files, network: host.network, processes }
}

describe('observeProcess', () => {
  it('sees the server that works in the data directory, with its port and its status', async () => {
    await withProcessIn(data, async (pid) => {
      leave(...linesOf(pid))
      expect(await observeProcess(host, data)).toEqual({ kind: 'running', pid, status: 'ready', port: 6000 })
    })
  })

  it('sees it also by another name of the directory', async () => {
    symlinkSync(data, join(directory, 'link'))
    await withProcessIn(data, async (pid) => {
      leave(...linesOf(pid))
      expect(await observeProcess(host, join(directory, 'link'))).toMatchObject({ kind: 'running', pid })
    })
  })

  it('takes a server that has not written its status yet for one that starts', async () => {
    await withProcessIn(data, async (pid) => {
      leave(pid, data, 1_790_000_000, 6000)
      expect(await observeProcess(host, data)).toEqual({ kind: 'running', pid, status: 'starting', port: 6000 })
    })
  })

  it('sees none without a postmaster.pid, and none without a data directory', async () => {
    expect(await observeProcess(host, data)).toEqual({ kind: 'none' })
    expect(await observeProcess(host, join(directory, 'absent'))).toEqual({ kind: 'none' })
  })

  it('sees none where the process has ended', async () => {
    const { stdout } = await host.processes.run('/bin/sh', ['-c', 'echo $$'], {})
    leave(...linesOf(Number(stdout)))
    expect(await observeProcess(host, data)).toEqual({ kind: 'none' })
  })

  it('sees none where another program has the pid by now', async () => {
    leave(...linesOf(process.pid))
    expect(await observeProcess(host, data)).toEqual({ kind: 'none' })
    await withProcessIn(directory, async (pid) => {
      leave(...linesOf(pid))
      expect(await observeProcess(host, data)).toEqual({ kind: 'none' })
    })
  })

  it('goes by the account of the process where its working directory cannot be seen', async () => {
    leave(...linesOf(process.pid))
    const uid = host.processes.self().uid
    expect(await observeProcess(withoutWorkingDirectories(uid), data)).toMatchObject({ kind: 'running' })
    expect(await observeProcess(withoutWorkingDirectories(uid + 1), data)).toEqual({ kind: 'none' })
    // Nothing is known against it: better not to start a second server.
    expect(await observeProcess(withoutWorkingDirectories(undefined), data)).toMatchObject({ kind: 'running' })
  })

  it.each(['', '\n', 'rubbish\n', '0\n', '-12\n', '1.5\n', '\0\0\0'])(
    'sees none where postmaster.pid holds %j',
    async (text) => {
      writeFileSync(join(data, 'postmaster.pid'), text)
      expect(await observeProcess(host, data)).toEqual({ kind: 'none' })
    },
  )

  it('does not know when postmaster.pid cannot be read', async () => {
    mkdirSync(join(data, 'postmaster.pid'))
    expect(await observeProcess(host, data)).toMatchObject({
      kind: 'unknown',
      because: expect.stringContaining(join(data, 'postmaster.pid')),
    })
  })
})

describe('startServer', () => {
  /** A process that has ended, and a parent that has not asked how; then it asks, when told. */
  async function withZombie(use: (zombie: number, parent: number) => Promise<void>): Promise<void> {
    const file = join(directory, 'zombie')
    // The shell starts a child; what takes its place never asks how that ended.
    const daemon = await host.processes.startDaemon(
      '/bin/sh',
      ['-c', 'sleep 0.3 & echo $! > "$1"; exec sleep 1000', 'sh', file],
      { logFile: join(directory, 'log') },
    )
    try {
      let zombie = 0
      while ((await host.processes.parentOfZombie(zombie)) !== daemon.pid) {
        if (daemon.exit() !== undefined) throw new Error(daemon.exit())
        zombie = Number((await host.files.readText(file)) ?? 0)
      }
      await use(zombie, daemon.pid)
    } finally {
      host.processes.signal(daemon.pid, 'SIGKILL')
    }
  }

  /** What stands for PostgreSQL: it is ready at once. */
  function options(timeoutMs: number) {
    const path = join(directory, 'postgres')
    const lines = linesOf(0)
      .slice(1)
      .map((line) => `echo '${line}'`)
      .join('; ')
    writeFileSync(path, `#!/bin/sh\n{ echo $$; ${lines}; } > ${data}/postmaster.pid\nexec sleep 1000\n`, {
      mode: 0o755,
    })
    const binaries = { kind: 'found' as const, directory, version: parseServerVersion('18.4'), source: 'a test' }
    return { node: 'a', data, account: host.processes.self(), binaries, timeoutMs }
  }

  it('names a killed server that nobody has taken note of, and its parent, when it stays', async () => {
    await withZombie(async (zombie, parent) => {
      leave(...linesOf(zombie))
      await expect(startServer(host, options(300))).rejects.toMatchObject({
        code: 'server-did-not-start',
        message: `waited 300 ms for the server of before of a (${data}) to be gone; last seen: process ${zombie} has ended, and its parent ${parent} (sleep 1000) has not taken note`,
      })
    })
  })

  it('waits for one until it is gone, and starts', async () => {
    await withZombie(async (zombie, parent) => {
      leave(...linesOf(zombie))
      const starting = startServer(host, options(20_000))
      // The first process of the system asks how it ended.
      host.processes.signal(parent, 'SIGKILL')
      await starting
      const started = Number((await host.files.readText(join(data, 'postmaster.pid')))?.split('\n')[0])
      expect(started).not.toBe(zombie)
      host.processes.signal(started, 'SIGKILL')
    })
  })
})

describe('stopServer', () => {
  it('is fine where nothing runs', async () => {
    await stopServer(host, { node: 'a', data })
  })

  it('does not signal another program that has the pid by now', async () => {
    await withProcessIn(directory, async (pid) => {
      leave(...linesOf(pid))
      const before = await host.processes.identify(pid)
      await stopServer(host, { node: 'a', data })
      await reloadServer(host, { node: 'a', data })
      expect(await host.processes.identify(pid)).toEqual(before)
    })
  })

  it('waits until the process is gone', async () => {
    await withProcessIn(data, async (pid) => {
      leave(...linesOf(pid))
      await stopServer(host, { node: 'a', data, mode: 'immediate' })
      expect(await host.processes.identify(pid)).toBeUndefined()
    })
  })

  it('does not take not knowing for nothing running', async () => {
    mkdirSync(join(data, 'postmaster.pid'))
    await expect(stopServer(host, { node: 'a', data })).rejects.toMatchObject({ code: 'server-did-not-stop' })
  })
})
