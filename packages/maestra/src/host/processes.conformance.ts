import { describe, expect, it } from 'vitest'
import { exitOf, type HostBench, until } from './host-bench.fixture.js'

/** What every HostProcesses promises. */
export function processesConformance({
  host,
  at,
  isRoot,
  shell,
  daemon,
  endLater,
  put,
  modeOf,
  owner,
}: HostBench): void {
  describe('running a program', () => {
    it('gives its exit code and what it wrote', async () => {
      const result = await host.processes.run('/bin/sh', ['-c', 'echo out; echo err >&2; exit 3'], {})
      expect(result).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
    })

    it('gives it input, arguments as they are and variables', async () => {
      const script = 'cat; printf "%s" "$1"; printf "%s" "$GIVEN"'
      const result = await host.processes.run('/bin/sh', ['-c', script, 'sh', '$HOME; "x" \'y\''], {
        input: 'líne\n',
        env: { GIVEN: 'given' },
      })
      expect(result).toEqual({ exitCode: 0, stdout: 'líne\n$HOME; "x" \'y\'given', stderr: '' })
    })

    it('waits for a program that does not read its input', async () => {
      const result = await host.processes.run('/bin/sh', ['-c', 'exit 0'], { input: 'x'.repeat(1_000_000) })
      expect(result.exitCode).toBe(0)
    })

    it('says which signal ended it', async () => {
      const result = await host.processes.run('/bin/sh', ['-c', 'kill -KILL $$'], {})
      expect(result.exitCode).not.toBe(0)
      expect(result.stderr).toContain('ended by SIGKILL')
    })

    it('runs it under an account', async () => {
      const account = await owner()
      const { stdout } = await host.processes.run('/bin/sh', ['-c', 'id -u; id -g; id -G'], { account })
      const [uid, gid, groups] = stdout.split('\n')
      expect([uid, gid]).toEqual([`${account.uid}`, `${account.gid}`])
      // None of root's own groups may come along; who runs as oneself keeps one's groups.
      if (isRoot()) expect(groups).toBe(`${account.gid}`)
      else expect(groups?.split(' ')).toContain(`${account.gid}`)
    })

    it('throws when it cannot be run', async () => {
      await expect(host.processes.run(at('absent'), [], {})).rejects.toMatchObject({ code: 'command-failed' })
    })

    it('ends it when the signal is aborted, and rejects with its reason only when it is gone', async () => {
      const aborting = new AbortController()
      const reason = new Error('enough')
      const script = 'trap "sleep 0.1; echo > $2; exit 0" TERM; echo > $1; while :; do sleep 0.01; done'
      const running = host.processes.run('/bin/sh', ['-c', script, 'sh', at('begun'), at('ended')], {
        signal: aborting.signal,
      })
      await until(async () => (await host.files.stat(at('begun'))) !== undefined, 'the program to begin')
      aborting.abort(reason)
      await expect(running).rejects.toBe(reason)
      expect(await host.files.stat(at('ended'))).toBeDefined()
    })

    it('runs nothing when the signal is aborted already', async () => {
      const reason = new Error('enough')
      const running = host.processes.run('/bin/sh', ['-c', 'echo > "$1"', 'sh', at('begun')], {
        signal: AbortSignal.abort(reason),
      })
      await expect(running).rejects.toBe(reason)
      expect(await host.files.list(at())).toEqual([])
    })
  })

  describe('accounts', () => {
    it('are found by name and by number, the own one too', async () => {
      const root = await host.processes.account('root')
      expect(root).toEqual({ name: 'root', uid: 0, gid: 0 })
      expect(await host.processes.account(0)).toEqual(root)
      const self = host.processes.self()
      expect(self.uid).toBe(Number(await shell('id -u')))
      expect(self.gid).toBe(Number(await shell('id -g')))
    })

    it('are undefined when there is none', async () => {
      expect(await host.processes.account('no-such-account')).toBeUndefined()
      expect(await host.processes.account(987_654)).toBeUndefined()
    })
  })

  describe('a daemon', () => {
    it('is in a session of its own, with its output at the end of the log', async () => {
      await put(at('log'), 'before\n')
      const started = await daemon(
        'echo out; echo err >&2; read -r stat < /proc/$$/stat; echo "$stat"; exec sleep 1000',
      )
      await until(async () => (await logText()).split('\n').length > 3, 'the daemon to write')
      const [before, out, err, stat] = (await logText()).split('\n')
      expect([before, out, err]).toEqual(['before', 'out', 'err'])
      const session = stat?.replace(/^.*\) /, '').split(' ')[3]
      expect(session).toBe(`${started.pid}`)
      expect(started.exit()).toBeUndefined()
    })

    it('has a new log that its owner alone can read', async () => {
      const started = await daemon('exit 0')
      await exitOf(started)
      expect(await modeOf(at('log'))).toBe('600')
    })

    it('says with which code it exited', async () => {
      expect(await exitOf(await daemon('exit 3'))).toBe('it exited with code 3')
    })

    it('says which signal ended it', async () => {
      const started = await daemon('exec sleep 1000')
      host.processes.signal(started.pid, 'SIGQUIT')
      expect(await exitOf(started)).toBe('it was ended by SIGQUIT')
    })

    it('runs under an account', async () => {
      const account = await owner()
      const started = await host.processes.startDaemon('/bin/sh', ['-c', 'id -u'], { account, logFile: at('log') })
      endLater(started)
      await exitOf(started)
      expect(await logText()).toBe(`${account.uid}\n`)
    })

    it('throws when it cannot be started', async () => {
      await expect(host.processes.startDaemon(at('absent'), [], { logFile: at('log') })).rejects.toMatchObject({
        code: 'command-failed',
      })
      await expect(
        host.processes.startDaemon('/bin/sh', ['-c', 'exit 0'], { logFile: at('absent', 'log') }),
      ).rejects.toMatchObject({ code: 'file-system-failed' })
    })

    const logText = async (): Promise<string> => (await host.files.readText(at('log'))) ?? ''
  })

  describe('processes', () => {
    it('are identified by when they started: equal for the same, different for another', async () => {
      const one = await daemon('exec sleep 1000')
      const first = await host.processes.identify(one.pid)
      expect(first).toMatchObject({ pid: one.pid, workingDirectory: '/', uid: host.processes.self().uid })
      expect(await host.processes.identify(one.pid)).toEqual(first)
      // The clock by which starts are told apart has 100 ticks a second.
      await until(async () => {
        const later = await daemon('exec sleep 1000')
        const found = await host.processes.identify(later.pid)
        host.processes.signal(later.pid, 'SIGKILL')
        await exitOf(later)
        return found?.startedAt !== first?.startedAt
      }, 'a process that started later to look different')
    })

    it('are undefined when there is none', async () => {
      const started = await daemon('exit 0')
      await exitOf(started)
      expect(await host.processes.identify(started.pid)).toBeUndefined()
    })

    it('are undefined when only their entry is left', async () => {
      // Replaced by sleep, the parent never asks how its child ended.
      const parent = await daemon('sh -c "exit 0" & echo $!; exec sleep 1000')
      await until(async () => ((await host.files.readText(at('log'))) ?? '').endsWith('\n'), 'the pid to be written')
      const pid = Number(await host.files.readText(at('log')))
      await until(async () => (await host.processes.identify(pid)) === undefined, 'the child to end')
      expect(parent.exit()).toBeUndefined()
      // A signal still reaches a zombie: its pid is taken, and yet nothing runs.
      expect(host.processes.signal(pid, 'SIGHUP')).toBe(true)
    })

    it('take a signal, and there is none to take it when they are gone', async () => {
      const started = await daemon('exec sleep 1000')
      expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(true)
      await exitOf(started)
      expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(false)
    })

    it('of others are not signalled without permission', async () => {
      // Root may signal every process; whether init is there is all that a harmless signal to it could tell.
      if (isRoot()) expect((await host.processes.identify(1))?.uid).toBe(0)
      else
        expect(() => host.processes.signal(1, 'SIGHUP')).toThrow('cannot send SIGHUP to process 1: permission denied')
    })
  })
}
