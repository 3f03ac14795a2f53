import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { observeProcess, reloadServer, stopServer } from './postmaster.js'

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
