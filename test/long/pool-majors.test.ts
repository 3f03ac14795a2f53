import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { installMajors, majorsIn } from '../harness/installed-majors.js'
import { type Major, oldest, stagePrograms } from '../harness/majors.js'
import { nodePath } from '../harness/npm.js'
import { majorVariable } from '../harness/start-servers.js'
import { openWorkspace } from '../harness/workspace.js'

const suites = ['test/integration/pool/contract-', 'test/integration/pool/causality']

const workspace = openWorkspace()
const folder = workspace.folder('majors')

beforeAll(() => installMajors(workspace, folder), 300_000)
afterAll(() => workspace.remove())

type Run = { readonly code: number; readonly output: string }

/** The suites of the pool in a process of their own, with the programs of that major in its PATH. */
async function runOn(major: Major): Promise<Run> {
  const bin = await stagePrograms(major, workspace.folder(`postgresql-${major.version}`))
  const cwd = fileURLToPath(new URL('../..', import.meta.url))
  const env = { ...workspace.env, PATH: `${bin}:${nodePath}`, [majorVariable]: `${major.version}`, NO_COLOR: '1' }
  return await new Promise((resolve) => {
    const args = ['node_modules/vitest/vitest.mjs', 'run', ...suites]
    execFile(process.execPath, args, { cwd, env, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ code, output: `${stdout}${stderr}` })
    })
  })
}

// The newest is in npm test.
const majors = oldest === undefined ? majorsIn(folder) : [oldest, ...majorsIn(folder)]

describe('the pool', () => {
  it.each(majors)('keeps its contract on PostgreSQL $version', { timeout: 900_000 }, async (major) => {
    const { code, output } = await runOn(major)
    expect(code, output).toBe(0)
  })
})
