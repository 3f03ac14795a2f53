import { cpSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { maestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(root, 'examples/test-replicas')

let workspace: Workspace

beforeAll(() => {
  workspace = openWorkspace()
  // What they import is found as in a project of its own: above their folder.
  symlinkSync(join(root, 'node_modules'), join(workspace.directory, 'node_modules'))
})

afterAll(() => workspace.remove())

/** Runs a program of Node.js in a copy of an example, which runners leave their caches in. */
async function run(example: string, ...args: readonly string[]): Promise<string> {
  const cwd = join(workspace.directory, example)
  cpSync(join(examples, example), cwd, { recursive: true })
  const [script = '', ...rest] = args
  const env = { ...workspace.env, NO_COLOR: '1' }
  const { code, stdout, stderr } = await maestra(workspace, rest, { script, cwd, env })
  if (code !== 0) throw new Error(`${example}: ${args.join(' ')} ended with ${code}\n${stdout}\n${stderr}`)
  return stdout
}

const text = (...path: readonly string[]): string => readFileSync(join(...path), 'utf8')

it('has an example for node:test that passes', async () => {
  expect(await run('node-test', '--test')).toMatch(/^# pass 2$/m)
})

it('has an example for vitest that passes', async () => {
  expect(await run('vitest', join(root, 'node_modules/vitest/vitest.mjs'), 'run')).toMatch(/Tests +2 passed \(2\)/)
})

it('leaves nothing of the sandboxes of its examples', () => {
  expect(readdirSync(join(workspace.cache, 'sandboxes'))).toEqual([])
})

// Jest is not among the dependencies of this clone, so its example is held to those that are run.
it('has an example for jest that says the same', () => {
  expect(text(examples, 'jest/orders.js')).toBe(text(examples, 'node-test/orders.js'))
  const asJavaScript = text(examples, 'vitest/orders.test.ts')
    .replace("'vitest'", "'@jest/globals'")
    .replace('type Sandbox, ', '')
    .replace(/: (Sandbox|Orders|string)\b/g, '')
  const sorted = (source: string): readonly string[] => source.split('\n').toSorted()
  expect(sorted(text(examples, 'jest/orders.test.js'))).toEqual(sorted(asJavaScript))
})

it.each(['docs/test-replicas.md', 'docs/test-replicas.es.md'])('is shown in %s as it is', (page) => {
  const shown = [...text(root, page).matchAll(/^```\w+\n(?:\/\/|#) (examples\/\S+)\n([\s\S]*?)^```$/gm)]
  expect(new Set(shown.map(([, path]) => path))).toEqual(
    new Set([
      'examples/test-replicas/vitest/orders.ts',
      'examples/test-replicas/vitest/orders.test.ts',
      'examples/test-replicas/jest/package.json',
      'examples/test-replicas/node-test/orders.test.js',
      'examples/test-replicas/compose/compose.yaml',
      'examples/test-replicas/compose/primary.sh',
      'examples/test-replicas/compose/replica.sh',
    ]),
  )
  for (const [, path = '', code = ''] of shown) {
    const parts = code.split(/^ *(?:\/\/|#) …\n/m)
    for (const part of parts) expect(text(root, path), path).toContain(part)
  }
})
