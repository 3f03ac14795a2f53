import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { startSandbox } from './start-sandbox.js'

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-start-'))
  vi.stubEnv('MAESTRA_CACHE', join(directory, 'cache'))
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

describe('startSandbox', () => {
  it.each(['A b/../c', '../outside', '', 'Capital'])('refuses the name %j before anything is created', async (name) => {
    await expect(startSandbox({ name })).rejects.toMatchObject({
      code: 'bad-value',
      message: `${JSON.stringify(name)} cannot be the name of a sandbox`,
    })
    expect(readdirSync(directory)).toEqual([])
  })

  it('refuses an option that it does not have before anything is created', async () => {
    const options: object = { replica: 2 }
    await expect(startSandbox(options)).rejects.toMatchObject({ code: 'bad-usage', hint: 'did you mean replicas?' })
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([-1, 1.5, 21, Number.NaN])('refuses %d replicas before anything is created', async (replicas) => {
    await expect(startSandbox({ replicas })).rejects.toMatchObject({ code: 'bad-value' })
    expect(readdirSync(directory)).toEqual([])
  })
})
