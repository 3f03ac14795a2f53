import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClusterFolder } from '../harness/cluster-folder.js'
import { bin, maestra } from '../harness/maestra.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'

let workspace: Workspace
let shop: ClusterFolder
let script: string

beforeAll(async () => {
  workspace = openWorkspace()
  shop = await ClusterFolder.open(workspace, 'shop', ['db1', 'db2', 'db-3'])
  script = join(workspace.directory, 'completion.bash')
  writeFileSync(script, (await maestra(workspace, ['completion', 'bash'])).stdout)
})

afterAll(() => workspace.remove())

/** What bash offers for the last of these words. */
function offered(words: readonly string[], env: Readonly<Record<string, string>> = {}): readonly string[] {
  const code = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _maestra; printf '%s\\n' "\${COMPREPLY[@]}"`
  const args = ['--norc', '--noprofile', '-c', code, 'bash', script, bin, ...words]
  const options = { cwd: shop.directory, env: { ...workspace.env, ...env }, encoding: 'utf8' } as const
  return execFileSync('bash', args, options).trimEnd().split('\n').toSorted()
}

describe('completion in bash', () => {
  it('knows the commands of the program, and their beginnings', () => {
    expect(offered([''])).toEqual(
      expect.arrayContaining(['add', 'apply', 'completion', 'init', 'plan', 'remove', 'sandbox', 'status']),
    )
    expect(offered([''])).not.toContain('complete-words')
    expect(offered(['p'])).toEqual(['plan'])
    expect(offered(['add', ''])).toEqual(['help', 'replica'])
    expect(offered(['sandbox', 'l'])).toContain('list')
  })

  it('knows the options of each command, and the values of some', () => {
    expect(offered(['plan', '--'])).toEqual(['--detailed-exitcode', '--file', '--help', '--json', '--out', '--replace'])
    expect(offered(['status', '--w'])).toEqual(['--watch'])
    expect(offered(['add', 'replica', 'db4', '--p'])).toEqual(['--port'])
    expect(offered(['completion', ''])).toEqual(['bash', 'fish', 'zsh'])
    expect(offered(['plan', '--file', 'm'])).toEqual(['maestra.yaml'])
    expect(offered(['plan', '--file', '=', 'm'])).toEqual(['maestra.yaml'])
    expect(offered(['status', '--every', ''])).toEqual([''])
    expect(offered(['plan', '--out', 'maes'])).toEqual(['maestra.yaml'])
    expect(offered(['apply', 'maes'])).toEqual(['maestra.yaml'])
  })

  it('names the replicas of the cluster file for remove: here, by --file, by MAESTRA_FILE', () => {
    expect(offered(['remove', ''])).toEqual(['db-3', 'db2'])
    expect(offered(['remove', 'db-'])).toEqual(['db-3'])
    expect(offered(['remove', 'db2', ''])).toEqual([''])
    const other = join(workspace.directory, 'other.yaml')
    writeFileSync(
      other,
      'cluster: b\npostgres: { version: 18 }\nnodes: [{ name: a1, data: a1, primary: true }, { name: a2, port: 6000, data: a2 }]\n',
    )
    expect(offered(['remove', '--file', other, ''])).toEqual(['a2'])
    expect(offered(['remove', '-f', '=', other, 'a'])).toEqual(['a2'])
    expect(offered(['remove', ''], { MAESTRA_FILE: other })).toEqual(['a2'])
  })

  it('offers nothing, and says nothing, where there is no cluster file', async () => {
    expect(offered(['remove', '--file', 'nowhere.yaml', ''])).toEqual([''])
    const run = await maestra(workspace, ['complete-words', 'replicas', '--', 'remove', ''])
    expect(run).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('names nothing of sandboxes while none is up', async () => {
    expect(offered(['sandbox', 'down', ''])).toEqual([''])
    expect(offered(['sandbox', 'sql', ''])).toEqual([''])
  })
})

describe('completion', () => {
  it('is refused for another shell', async () => {
    const run = await maestra(workspace, ['completion', 'csh'])
    expect(run).toMatchObject({ code: 2, stdout: '' })
    expect(run.stderr).toContain('bash, zsh, fish')
  })
})
