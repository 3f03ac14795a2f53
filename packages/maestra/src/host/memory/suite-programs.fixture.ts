import type { SuiteProgram } from '../suite-programs.fixture.js'
import type { MemoryProgram } from './memory-process.fixture.js'

/** The programs of the suites, as functions. */
export const suitePrograms: Readonly<Record<SuiteProgram, MemoryProgram>> = {
  speak: (process) => {
    process.out('out\n')
    process.err('err\n')
    return Number(process.args[0])
  },
  repeat: async (process) => {
    process.out(`${await process.input}${process.args[0]}${process.env['GIVEN']}`)
    return 0
  },
  exit: (process) => Number(process.args[0]),
  die: async (process) => {
    process.take(`SIG${process.args[0]}` as 'SIGKILL')
    return await process.forEver()
  },
  whoami: (process) => {
    const { uid, gid } = process.account
    process.out(`${uid}\n${gid}\n${gid}\n`)
    return 0
  },
  touch: async (process) => {
    await process.files.write(process.args[0] ?? '', '\n', { mode: 0o644 })
    return 0
  },
  tidy: async (process) => {
    const [begun = '', ended = ''] = process.args
    let asked = false
    process.on('SIGTERM', () => {
      asked = true
    })
    await process.files.write(begun, '\n', { mode: 0o644 })
    while (!asked) await process.moment()
    await process.files.write(ended, '\n', { mode: 0o644 })
    return 0
  },
  session: async (process) => {
    process.out(`${process.pid}\n`)
    process.err('err\n')
    // Each process that the host starts has a session of its own.
    process.out(`${process.pid}\n`)
    return await process.forEver()
  },
  wait: (process) => process.forEver(),
  beat: async (process) => {
    for (;;) {
      process.out('beat\n')
      await process.moment()
    }
  },
  listen: async (process) => {
    await process.input
    process.out('over\n')
    return 0
  },
  family: async (process) => {
    const child = process.startChild(async (inner) => {
      inner.out(`${inner.startChild((each) => each.forEver()).pid}\n`)
      return await inner.forEver()
    })
    process.out(`${child.pid}\n`)
    return await process.forEver()
  },
  forget: async (process) => {
    process.out(`${process.startChild((child) => child.forEver()).pid}\n`)
    return await process.forEver()
  },
  serve: async (process) => {
    process.listen(Number(process.args[0]))
    process.out('listening\n')
    return await process.forEver()
  },
}
