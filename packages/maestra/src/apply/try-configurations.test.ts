import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Secret } from '@maestra/client/base/secret'
import { parseServerVersion } from '@maestra/client/postgres/version'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadCluster } from '../cluster/load-cluster.js'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { harmless } from '../plan/draft.js'
import type { StepContext } from './step-runner.js'
import { tryConfigurations } from './try-configurations.js'

const local = new LocalHost({ sync: false })
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-trials-'))
  mkdirSync(join(directory, 'db1'))
  writeFileSync(join(directory, 'db1/PG_VERSION'), '18\n')
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

/** A host whose PostgreSQL tells how many of it work in one directory at once. */
function hostThatCounts(seen: number[]): Host {
  const at = new Map<string, number>()
  const processes = Object.create(local.processes) as Host['processes']
  processes.run = async (_program, args) => {
    const data = args[1] ?? ''
    at.set(data, (at.get(data) ?? 0) + 1)
    seen.push(at.get(data) ?? 0)
    await setImmediate()
    at.set(data, (at.get(data) ?? 0) - 1)
    return { exitCode: 0, stdout: '', stderr: '' }
  }
  return { name: local.name, files: local.files, network: local.network, processes }
}

it('tries what is tried in one directory one after the other', async () => {
  const nodes = ['db1', 'db2', 'db3'].map(
    (name, index) =>
      `  - { name: ${name}, port: ${5441 + index}, data: ./${name}${index === 0 ? ', primary: true' : ''} }`,
  )
  const file = join(directory, 'maestra.yaml')
  const { cluster } = loadCluster(`cluster: shop\npostgres: { version: 18 }\nnodes:\n${nodes.join('\n')}\n`, file)
  if (cluster === undefined) throw new Error('the cluster file is wrong')
  const seen: number[] = []
  const passwords = {
    superuser: new Secret('x'),
    replication: new Secret('x'),
    nodesWithout: [],
    ignoredPassfile: undefined,
  }
  const context = {
    site: { host: hostThatCounts(seen) },
    cluster,
    triesSettings: true,
    node: (name: string) => cluster.nodes.find((node) => node.name === name),
    binaries: async () => ({ directory: '/bin', version: parseServerVersion('18.4') }),
    passwords: async () => passwords,
  } as unknown as StepContext
  const copies = ['db2', 'db3'].map(
    (node) => ({ kind: 'copy-primary', node, from: 'db1', why: '', ...harmless }) as const,
  )
  await tryConfigurations(copies, context)
  expect(seen).toEqual([1, 1])
})
