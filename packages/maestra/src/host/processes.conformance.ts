import { describe, expect, it } from 'vitest'
import type { RunOptions, RunResult } from './host.js'
import { exitOf, type HostBench, until } from './host-bench.fixture.js'
import type { SuiteProgram } from './suite-programs.fixture.js'

/** What every HostProcesses promises. */
export function processesConformance(bench: HostBench): void {
  const { host, at, isRoot, daemon, log, put, modeOf, owner } = bench

  const run = async (
    program: SuiteProgram,
    args: readonly string[] = [],
    options: RunOptions = {},
  ): Promise<RunResult> => await host.processes.run(...bench.outside.command(program, ...args), options)

  /** The numbers that daemons have written, a line each, when there are so many. */
  const numbersInLog = async (count: number): Promise<readonly number[]> => {
    await until(async () => (await log()).split('\n').length > count, `${count} lines in the log`)
    return (await log()).split('\n').slice(0, count).map(Number)
  }

  describe('running a program', () => {
    it('gives its exit code and what it wrote', async () => {
      expect(await run('speak', ['3'])).toEqual({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' })
    })

    it('gives it input, arguments as they are and variables', async () => {
      const result = await run('repeat', ['$HOME; "x" \'y\''], { input: 'líne\n', env: { GIVEN: 'given' } })
      expect(result).toEqual({ exitCode: 0, stdout: 'líne\n$HOME; "x" \'y\'given', stderr: '' })
    })

    it('waits for a program that does not read its input', async () => {
      expect((await run('exit', ['0'], { input: 'x'.repeat(1_000_000) })).exitCode).toBe(0)
    })

    it('says which signal ended it', async () => {
      const result = await run('die', ['KILL'])
      expect(result.exitCode).not.toBe(0)
      expect(result.stderr).toContain('ended by SIGKILL')
    })

    it('runs it under an account', async () => {
      const account = await owner()
      const { stdout } = await run('whoami', [], { account })
      const [uid, gid, groups] = stdout.split('\n')
      expect([uid, gid]).toEqual([`${account.uid}`, `${account.gid}`])
      // None of root's own groups may come along; who runs as oneself keeps one's groups.
      if (isRoot()) expect(groups).toBe(`${account.gid}`)
      else expect(groups?.split(' ')).toContain(`${account.gid}`)
    })

    it('throws when it cannot be run', async () => {
      await put(at('plain'), '', 0o644)
      await expect(host.processes.run(at('absent'), [], {})).rejects.toMatchObject({
        code: 'command-failed',
        message: `cannot run ${at('absent')}: it is not there`,
      })
      await expect(host.processes.run(at('plain'), [], {})).rejects.toMatchObject({
        code: 'command-failed',
        message: `cannot run ${at('plain')}: permission denied`,
      })
    })

    it('ends it when the signal is aborted, and rejects with its reason only when it is gone', async () => {
      const aborting = new AbortController()
      const reason = new Error('enough')
      const running = run('tidy', [at('begun'), at('ended')], { signal: aborting.signal })
      await until(async () => (await host.files.stat(at('begun'))) !== undefined, 'the program to begin')
      aborting.abort(reason)
      await expect(running).rejects.toBe(reason)
      expect(await host.files.stat(at('ended'))).toBeDefined()
    })

    it('runs nothing when the signal is aborted already', async () => {
      const reason = new Error('enough')
      await expect(run('touch', [at('begun')], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
      expect(await host.files.list(at())).toEqual([])
    })
  })

  describe('running a program on this terminal', () => {
    const runHere = async (program: SuiteProgram, ...args: readonly string[]): Promise<number> =>
      await host.processes.runHere(...bench.outside.command(program, ...args), {})

    it('gives its exit code, and for a signal what a shell would', async () => {
      expect(await runHere('exit', '3')).toBe(3)
      expect(await runHere('die', 'KILL')).toBe(128 + 9)
      expect(await runHere('die', 'TERM')).toBe(128 + 15)
    })

    it('throws when it cannot be run', async () => {
      await expect(host.processes.runHere(at('absent'), [], {})).rejects.toMatchObject({
        code: 'command-failed',
        message: `cannot run ${at('absent')}: it is not there`,
      })
    })
  })

  describe('accounts', () => {
    it('are found by name and by number, the own one too', async () => {
      const root = await host.processes.account('root')
      expect(root).toEqual({ name: 'root', uid: 0, gid: 0 })
      expect(await host.processes.account(0)).toEqual(root)
      const self = host.processes.self()
      expect((await run('whoami')).stdout.split('\n').slice(0, 2)).toEqual([`${self.uid}`, `${self.gid}`])
    })

    it('are undefined when there is none', async () => {
      expect(await host.processes.account('no-such-account')).toBeUndefined()
      expect(await host.processes.account(987_654)).toBeUndefined()
    })
  })

  describe('a daemon', () => {
    it('is in a session of its own, with its output at the end of the log', async () => {
      await put(at('log'), 'before\n')
      const started = await daemon('session')
      await until(async () => (await log()).split('\n').length > 4, 'the daemon to write')
      const [before, pid, err, session] = (await log()).split('\n')
      expect([before, pid, err, session]).toEqual(['before', `${started.pid}`, 'err', `${started.pid}`])
      expect(started.exit()).toBeUndefined()
    })

    it('has a new log that its owner alone can read', async () => {
      const started = await daemon('exit', ['0'])
      await exitOf(started)
      expect(await modeOf(at('log'))).toBe('600')
    })

    it('says with which code it exited', async () => {
      expect(await exitOf(await daemon('exit', ['3']))).toBe('it exited with code 3')
    })

    it('says which signal ended it', async () => {
      const started = await daemon('wait')
      host.processes.signal(started.pid, 'SIGQUIT')
      expect(await exitOf(started)).toBe('it was ended by SIGQUIT')
    })

    it('runs under an account', async () => {
      const account = await owner()
      await exitOf(await daemon('whoami', [], { account }))
      expect((await log()).split('\n')[0]).toBe(`${account.uid}`)
    })

    it('has no input, or one that ends when it is released', async () => {
      expect(await exitOf(await daemon('listen'))).toBe('it exited with code 0')
      expect(await log()).toBe('over\n')
      const held = await daemon('listen', [], { endsWithOwner: true })
      // Another one has come and gone meanwhile.
      await exitOf(await daemon('exit', ['0']))
      expect(held.exit()).toBeUndefined()
      held.release()
      expect(await exitOf(held)).toBe('it exited with code 0')
      expect(await log()).toBe('over\nover\n')
    })

    it('throws when it cannot be started', async () => {
      await expect(host.processes.startDaemon(at('absent'), [], { logFile: at('log') })).rejects.toMatchObject({
        code: 'command-failed',
        message: `cannot run ${at('absent')}: it is not there`,
      })
      await expect(daemon('exit', ['0'], { logFile: at('absent', 'log') })).rejects.toMatchObject({
        code: 'file-system-failed',
        message: expect.stringContaining(`cannot open the log file ${at('absent', 'log')}: ENOENT`),
      })
    })
  })

  describe('processes', () => {
    it('are identified by when they started: equal for the same, different for another', async () => {
      const one = await daemon('wait')
      const first = await host.processes.identify(one.pid)
      expect(first).toMatchObject({ pid: one.pid, workingDirectory: '/', uid: host.processes.self().uid })
      expect(await host.processes.identify(one.pid)).toEqual(first)
      // The clock by which starts are told apart has 100 ticks a second.
      await until(async () => {
        const later = await daemon('wait')
        const found = await host.processes.identify(later.pid)
        host.processes.signal(later.pid, 'SIGKILL')
        await exitOf(later)
        return found?.startedAt !== first?.startedAt
      }, 'a process that started later to look different')
    })

    it('are undefined when there is none', async () => {
      const started = await daemon('exit', ['0'])
      await exitOf(started)
      expect(await host.processes.identify(started.pid)).toBeUndefined()
    })

    it('are undefined when only their entry is left', async () => {
      const parent = await daemon('forget')
      const [pid = 0] = await numbersInLog(1)
      // A shell may ask how its child ended; what it turns into does not.
      const isShell = async () => (await host.processes.commandOf(parent.pid))?.includes('echo')
      await until(async () => !(await isShell()), 'the parent to be no shell any more')
      host.processes.signal(pid, 'SIGKILL')
      await until(async () => (await host.processes.identify(pid)) === undefined, 'the child to end')
      expect(parent.exit()).toBeUndefined()
      expect(await host.processes.parentOfZombie(pid)).toBe(parent.pid)
      expect(await host.processes.parentOfZombie(parent.pid)).toBeUndefined()
      // A signal still reaches a zombie: its pid is taken, and yet nothing runs.
      expect(host.processes.signal(pid, 'SIGHUP')).toBe(true)
    })

    it('are known by the process that started them, and by whoever started that one', async () => {
      const family = await daemon('family')
      const alone = await daemon('wait')
      const below = [...(await numbersInLog(2))].sort((a, b) => a - b)
      expect([...(await host.processes.descendants(family.pid))].sort((a, b) => a - b)).toEqual(below)
      expect(await host.processes.descendants(alone.pid)).toEqual([])
      expect(await host.processes.descendants(process.pid)).toEqual(
        expect.arrayContaining([family.pid, alone.pid, ...below]),
      )
      host.processes.signal(alone.pid, 'SIGKILL')
      await exitOf(alone)
      expect(await host.processes.descendants(alone.pid)).toEqual([])
    })

    it('show how they were started, as long as they run', async () => {
      // One that stays the shell: by an exec it would be shown as another program.
      const started = await daemon('beat', ['a word', 'another'])
      expect(await host.processes.commandOf(started.pid)).toMatch(/a word another$/)
      host.processes.signal(started.pid, 'SIGKILL')
      await exitOf(started)
      expect(await host.processes.commandOf(started.pid)).toBeUndefined()
    })

    it('take a signal, and there is none to take it when they are gone', async () => {
      const started = await daemon('wait')
      expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(true)
      await exitOf(started)
      expect(host.processes.signal(started.pid, 'SIGTERM')).toBe(false)
    })

    it('stand still from SIGSTOP to SIGCONT, which what was sent meanwhile waits for', async () => {
      const still = await daemon('beat', [], { logFile: at('still') })
      const goes = await daemon('beat')
      const beats = async (path: string): Promise<number> => ((await host.files.readText(path)) ?? '').length
      const untilStopped = async (stopped: boolean): Promise<void> => {
        const isSo = async () => (await host.processes.identify(still.pid))?.stopped === stopped
        await until(isSo, `stopped to be ${stopped}`)
      }
      /** Until the other one, which goes on all the time, has beaten some times more. */
      const whileOtherGoes = async (): Promise<void> => {
        const before = await beats(at('log'))
        await until(async () => (await beats(at('log'))) > before + 25, 'the other one to beat')
      }
      await until(async () => (await beats(at('still'))) > 0, 'it to beat')
      await untilStopped(false)
      expect(host.processes.signal(still.pid, 'SIGSTOP')).toBe(true)
      await untilStopped(true)
      const stopped = await beats(at('still'))
      await whileOtherGoes()
      expect(await beats(at('still'))).toBe(stopped)
      host.processes.signal(still.pid, 'SIGCONT')
      await untilStopped(false)
      await until(async () => (await beats(at('still'))) > stopped, 'it to beat again')
      host.processes.signal(still.pid, 'SIGSTOP')
      await untilStopped(true)
      host.processes.signal(still.pid, 'SIGTERM')
      await whileOtherGoes()
      expect(still.exit()).toBeUndefined()
      host.processes.signal(still.pid, 'SIGCONT')
      expect(await exitOf(still)).toBe('it was ended by SIGTERM')
      host.processes.signal(goes.pid, 'SIGSTOP')
      // To be killed it need not be continued.
      host.processes.signal(goes.pid, 'SIGKILL')
      expect(await exitOf(goes)).toBe('it was ended by SIGKILL')
    })

    it('of others are not signalled without permission', async () => {
      // Root may signal every process; whether init is there is all that a harmless signal to it could tell.
      if (isRoot()) expect((await host.processes.identify(1))?.uid).toBe(0)
      else
        expect(() => host.processes.signal(1, 'SIGHUP')).toThrow('cannot send SIGHUP to process 1: permission denied')
    })
  })
}
