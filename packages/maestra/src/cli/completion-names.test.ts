import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { completionNames } from './completion-names.js'

let cache: string

beforeAll(() => {
  cache = mkdtempSync(join(tmpdir(), 'maestra-names-'))
  vi.stubEnv('MAESTRA_CACHE', cache)
  record('one', ['db1', 'db2'])
  record('two', ['db1', 'other'])
  record('rising', undefined)
})

afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true })
})

/** A sandbox whose owner is long gone: whoever looks for leftovers would take it down. */
function record(name: string, nodes: readonly string[] | undefined): void {
  const directory = join(cache, 'sandboxes', `${name}-0123abcd`)
  mkdirSync(directory, { recursive: true })
  const owner = { host: 'this', pid: 1_999_999_999, startedAt: 'long ago' }
  const keeper = { port: 1, token: 'a word' }
  const whole = { name, directory, owner, createdAt: 'long ago', claim: 'a word', ports: [], keeper }
  writeFileSync(join(cache, 'sandboxes', `${name}.json`), JSON.stringify(whole))
  const lines = nodes?.map(
    (node, index) => `  - { name: ${node}, port: ${6000 + index}, data: ${node}, primary: ${index === 0} }`,
  )
  if (lines === undefined) return
  writeFileSync(
    join(directory, 'maestra.yaml'),
    `cluster: ${name}\npostgres: { version: 18 }\nnodes:\n${lines.join('\n')}\n`,
  )
}

test('sandboxes are named, and their nodes: those of the named one, else of all', async () => {
  const before = readdirSync(join(cache, 'sandboxes'))
  expect(await completionNames('sandboxes', ['sandbox', 'down', ''])).toEqual(['one', 'rising', 'two'])
  expect(await completionNames('sandbox-nodes', ['sandbox', 'sql', ''])).toEqual(['db1', 'db2', 'other'])
  expect(await completionNames('sandbox-nodes', ['sandbox', 'sql', '--name', 'two', ''])).toEqual(['db1', 'other'])
  expect(await completionNames('sandbox-nodes', ['sandbox', 'sql', '--name=one', ''])).toEqual(['db1', 'db2'])
  expect(await completionNames('sandbox-nodes', ['sandbox', 'sql', '--name', '=', 'none', ''])).toEqual([])
  expect(readdirSync(join(cache, 'sandboxes'))).toEqual(before)
})

test('replicas are those of a file without errors', async () => {
  const file = join(cache, 'sandboxes', 'one-0123abcd', 'maestra.yaml')
  expect(await completionNames('replicas', ['remove', '--file', file, ''])).toEqual(['db2'])
  writeFileSync(join(cache, 'bad.yaml'), 'nodes: [{ name: $(reboot) }]\n')
  expect(await completionNames('replicas', ['remove', '-f', join(cache, 'bad.yaml')])).toEqual([])
})
