import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import type { PortClaim } from './ports.js'
import {
  checkedName,
  disownSandbox,
  forgetSandbox,
  ownerLives,
  recordedSandboxes,
  recordSandbox,
} from './sandbox-record.js'

let host: Host
let directory: string
let folder: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-record-'))
  vi.stubEnv('MAESTRA_CACHE', directory)
  host = new LocalHost({ sync: false })
  folder = join(directory, 'sandboxes')
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

const claim: PortClaim = { ports: [20_001, 20_002], id: 'a1', release: async () => {} }
const record = (name?: string) => recordSandbox(host, { name, claim, keeperPort: 20_002 })
const names = async () => (await recordedSandboxes(host)).map((each) => each.record.name)

describe('recordSandbox', () => {
  it('writes down what is needed to take the sandbox down before anything of it is there', async () => {
    const made = await record('mine')
    expect(made.record).toMatchObject({
      name: 'mine',
      owner: { pid: process.pid },
      ports: [20_001, 20_002],
      claim: 'a1',
    })
    expect(made.record.keeper).toMatchObject({ port: 20_002, token: expect.stringMatching(/^.{24}$/) })
    expect(Number.isNaN(Date.parse(made.record.createdAt))).toBe(false)
    expect(dirname(made.record.directory)).toBe(folder)
    expect(await recordedSandboxes(host)).toEqual([made])
    expect(readdirSync(folder)).toEqual(['mine.json'])
    expect(await ownerLives(host, made)).toBe(true)
  })

  it('takes the first free name: sandbox, sandbox-2 and so on', async () => {
    expect((await record()).record.name).toBe('sandbox')
    const second = await record()
    expect(second.record.name).toBe('sandbox-2')
    expect((await record()).record.name).toBe('sandbox-3')
    await forgetSandbox(host, second)
    expect((await record()).record.name).toBe('sandbox-2')
  })

  it('gives each of ten at the same moment a name of its own', async () => {
    const made = await Promise.all(Array.from({ length: 10 }, () => record()))
    expect(new Set(made.map((each) => each.record.name)).size).toBe(10)
    expect(await names()).toHaveLength(10)
  })

  it('refuses a name that is taken, and leaves its holder alone', async () => {
    const made = await record('mine')
    await expect(record('mine')).rejects.toMatchObject({
      code: 'sandbox-exists',
      message: 'a sandbox named mine is up already',
      hint: 'choose another name, or take it down: maestra sandbox down mine',
    })
    expect(readFileSync(made.path, 'utf8')).toBe(made.text)
  })

  it('never gives a directory again, also not for the same name', async () => {
    const first = await record('mine')
    await forgetSandbox(host, first)
    const second = await record('mine')
    expect(basename(second.record.directory)).toMatch(/^mine-[0-9a-f]{8}$/)
    expect(second.record.directory).not.toBe(first.record.directory)
  })
})

describe('recordedSandboxes', () => {
  it('passes over what is no record', async () => {
    const made = await record('mine')
    writeFileSync(join(folder, 'rubbish.json'), '{')
    writeFileSync(join(folder, 'notes.txt'), '{}')
    expect(await recordedSandboxes(host)).toEqual([made])
  })

  it('lists them in the order of their names', async () => {
    for (const name of ['c', 'a', 'b']) await record(name)
    expect(await names()).toEqual(['a', 'b', 'c'])
  })
})

describe('forgetSandbox', () => {
  it('leaves another sandbox that has the name by now', async () => {
    const first = await record('mine')
    await forgetSandbox(host, first)
    const second = await record('mine')
    await forgetSandbox(host, first)
    expect(await recordedSandboxes(host)).toEqual([second])
  })
})

describe('ownerLives', () => {
  it('is false when the owner has ended, and when another process has its pid by now', async () => {
    const made = await record()
    const ownedBy = (owner: { pid: number; startedAt: string }) => ({ ...made, record: { ...made.record, owner } })
    const { stdout } = await host.processes.run('/bin/sh', ['-c', 'echo $$'], {})
    const startedAt = made.record.owner?.startedAt ?? ''
    expect(await ownerLives(host, ownedBy({ pid: Number(stdout), startedAt }))).toBe(false)
    expect(await ownerLives(host, ownedBy({ pid: process.pid, startedAt: 'another-boot:1' }))).toBe(false)
  })
})

describe('disownSandbox', () => {
  it('has it live on without an owner, under its name', async () => {
    const given = await disownSandbox(host, await record('mine'))
    expect(given.record.owner).toBeNull()
    expect(await recordedSandboxes(host)).toEqual([given])
    expect(await ownerLives(host, given)).toBe(true)
    await forgetSandbox(host, given)
    expect(await names()).toEqual([])
  })
})

describe('checkedName', () => {
  it.each(['a', 'mine', 'my-sandbox_2', 'a'.repeat(63)])('lets %j be the name of a sandbox', (name) => {
    expect(checkedName(name)).toBe(name)
  })

  it.each(['', 'A', '1a', '-a', 'a b', 'a/b', '..', '../a', 'A b/../c', 'a.json', 'a\n', 'ä', 'a'.repeat(64)])(
    'does not let %j be one',
    (name) => {
      expect(() => checkedName(name)).toThrow(`${JSON.stringify(name)} cannot be the name of a sandbox`)
    },
  )

  it('leaves the choice open where no name is asked for', () => {
    expect(checkedName(undefined)).toBeUndefined()
  })
})
