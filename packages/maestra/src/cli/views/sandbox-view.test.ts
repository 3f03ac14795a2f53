import { expect, test } from 'vitest'
import type { ListedSandbox } from '../../sandbox/open-sandbox.js'
import type { SandboxServer } from '../../sandbox/sandbox-servers.js'
import { plain } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { sandboxListJson, sandboxListView } from './sandbox-list-view.js'
import { type ShownSandbox, sandboxJson, welcomeView } from './sandbox-view.js'
import { stripColours } from './table.js'

const nodeOf = (name: string, role: SandboxServer['role'], port: number): SandboxServer => ({
  name,
  role,
  host: '127.0.0.1',
  port,
  url: `postgres://postgres:x@127.0.0.1:${port}/postgres`,
})
const primary = nodeOf('db1', 'primary', 5441)
const replica = nodeOf('db2', 'standby', 5442)
const sandbox: ShownSandbox = {
  name: 'shop',
  directory: '/tmp/shop',
  startedInMs: 1500,
  nodes: [primary, replica],
  primary,
  replicas: [replica],
}

test('sandbox up --json is one line with the documented keys', () => {
  const text = sandboxJson(sandbox)
  expect(text.split('\n')).toHaveLength(2)
  expect(JSON.parse(text)).toEqual({
    name: 'shop',
    directory: '/tmp/shop',
    startedInMs: 1500,
    nodes: [
      { name: 'db1', role: 'primary', url: primary.url },
      { name: 'db2', role: 'standby', url: replica.url },
    ],
  })
  expect(Object.keys(JSON.parse(text))).toEqual(['name', 'directory', 'startedInMs', 'nodes'])
})

test('the welcome shows the connection strings and three things to try, the last on a replica', () => {
  const text = welcomeView(sandbox, plain)
  expect(text).toContain('sandbox shop is up after 1.5 s')
  expect(text).toContain(`  db1  primary  ${primary.url}\n  db2  standby  ${replica.url}\n`)
  expect(text.match(/npx maestra sandbox sql --name shop (db\d)/g)?.map((line) => line.slice(-3))).toEqual([
    'db1',
    'db2',
    'db2',
  ])
  expect(stripColours(welcomeView(sandbox, coloured))).toBe(text)
})

test('the list has a line for each node, and says when there is none', () => {
  const listed: ListedSandbox = {
    name: 'shop',
    directory: '/tmp/shop',
    ownerPid: 12,
    createdAt: 'now',
    nodes: [primary, replica],
  }
  const [header, first, second] = sandboxListView([listed]).split('\n')
  expect(header).toMatch(/^SANDBOX +NODE +ROLE +OWNER +URL$/)
  expect(first).toMatch(/^shop +db1 +primary +12 +postgres:/)
  expect(second).toMatch(/^shop +db2 +standby +12 +postgres:/)
  expect(sandboxListView([])).toBe('no sandbox is up\n')
  expect(JSON.parse(sandboxListJson([listed]))[0].nodes[1]).toEqual({ name: 'db2', role: 'standby', url: replica.url })
})
