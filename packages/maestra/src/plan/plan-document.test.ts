import { expect, test } from 'vitest'
import { harmless } from './draft.js'
import { planDocument } from './plan-document.js'
import { savedPlanText } from './saved-plan.js'

const held = { 'myext.api_token': 'hunter2', ssl_passphrase_command: 'echo hunter2', max_connections: '60', port: null }
const write = {
  kind: 'write-configuration',
  node: 'db1',
  differences: [],
  held,
  why: 'password=hunter2',
  ...harmless,
} as const
const plan = { cluster: 'shop', steps: [write], refusals: [], unknowns: [], findings: [], fingerprint: 'f00' }

test('shows what is held, but for secrets', () => {
  expect(planDocument(plan).steps).toEqual([
    {
      ...write,
      held: { 'myext.api_token': '***', ssl_passphrase_command: '***', max_connections: '60', port: null },
      why: 'password=***',
    },
  ])
})

test('is in a file without secrets, too', () => {
  const text = savedPlanText({ createdAt: 'now', clusterFile: '/shop/maestra.yaml', declares: 'abc', plan })
  expect(text).not.toContain('hunter2')
})
