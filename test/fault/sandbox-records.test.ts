import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { startSandbox } from 'maestra'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { listSandboxes } from '../../packages/maestra/src/sandbox/open-sandbox.js'
import { treeOf } from '../harness/tree.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let folder: string
let outside: string

beforeAll(async () => {
  workspace = openWorkspace()
  process.env['MAESTRA_CACHE'] = workspace.cache
  folder = join(workspace.cache, 'sandboxes')
  outside = workspace.folder('outside')
  await listSandboxes()
})

afterAll(() => workspace.remove())

/** A record of an owner that has ended, but for what it is made to say. */
function writeRecord(but: Readonly<Record<string, unknown>> = {}, name = 'shop'): void {
  const record = {
    name: 'shop',
    directory: join(folder, 'shop-0123abcd'),
    owner: { pid: 999_999_999, startedAt: 'another-boot:1' },
    createdAt: '2026-11-25T00:00:00.000Z',
    ports: [20_001],
    claim: 'a1',
    keeper: { port: 20_001, token: 'secret' },
    ...but,
  }
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(record))
}

/** Somebody's directory that holds what the directory of a sandbox holds. */
function foreign(name: string, files: readonly string[]): string {
  const directory = workspace.folder(name)
  for (const file of files) writeFileSync(join(directory, file), '')
  return directory
}

/** What the next command takes down; nothing of these folders may be changed by it. */
async function untouchedBy(act: () => Promise<unknown>): Promise<void> {
  const before = [folder, outside].map(treeOf)
  await act()
  expect([folder, outside].map(treeOf)).toEqual(before)
}

describe('a record of a sandbox that was changed', () => {
  afterEach(async () => {
    // Without a change it would be taken down: the records of these tests are whole but for that.
    for (const name of readdirSync(folder)) if (name.endsWith('.json')) writeFileSync(join(folder, name), '')
    writeRecord()
    mkdirSync(join(folder, 'shop-0123abcd'))
    writeFileSync(join(folder, 'shop-0123abcd', 'maestra-sandbox'), '')
    expect(await listSandboxes()).toEqual([])
    expect(existsSync(join(folder, 'shop.json'))).toBe(false)
    expect(existsSync(join(folder, 'shop-0123abcd'))).toBe(false)
  })

  it.each([
    ['somebody’s empty directory', () => foreign('outside/empty', [])],
    ['somebody’s directory that has the mark', () => foreign('outside/marked', ['maestra-sandbox', 'theirs'])],
    [
      'a directory behind two dots',
      () => `${folder}/../../${relative(workspace.directory, foreign('outside/dots', ['maestra-sandbox']))}`,
    ],
    ['the folder of all sandboxes', () => folder],
    ['the directory of another sandbox', () => foreign('cache/sandboxes/other-0123abcd', ['maestra-sandbox'])],
  ])('has nothing removed: it names %s', async (_, directoryOf) => {
    writeRecord({ directory: directoryOf() })
    await untouchedBy(async () => expect(await listSandboxes()).toEqual([]))
  })

  it.each([
    ['ports that are paths', { ports: ['../sandboxes/shop.json'] }],
    ['another name than its file', { name: 'other' }],
    ['no owner’s pid', { owner: {} }],
    ['no keeper', { keeper: null }],
  ])('has nothing removed: it has %s', async (_, but) => {
    foreign('cache/sandboxes/shop-4567abcd', ['maestra-sandbox'])
    writeRecord({ directory: join(folder, 'shop-4567abcd'), ...but })
    await untouchedBy(async () => expect(await listSandboxes()).toEqual([]))
  })

  it.each(['{}', '', 'null', '[]', '"shop"'])('keeps its name, with what to do: it is %j', async (text) => {
    const path = join(folder, 'shop.json')
    writeFileSync(path, text)
    await untouchedBy(() =>
      expect(startSandbox({ name: 'shop', replicas: 0 })).rejects.toMatchObject({
        code: 'sandbox-exists',
        message: `the name shop is taken by ${path}, which is no record of a sandbox`,
        hint: `choose another name, or look at it and remove it: rm ${path}`,
      }),
    )
    expect(readdirSync(join(workspace.cache, 'ports'))).toEqual([])
  })

  it('of which the directory lost its mark keeps it, and `list` names it', async () => {
    const directory = foreign('cache/sandboxes/shop-89ababcd', ['theirs'])
    writeRecord({ directory })
    const problems: string[] = []
    await untouchedBy(() => listSandboxes((problem) => problems.push(problem)))
    expect(problems).toEqual([`sandbox shop: ${directory} does not look like a sandbox, so it is not removed`])
  })
})
