import { describe, expect, it } from 'vitest'
import type { Step } from '../plan/step.js'
import { runInLanes } from './run-in-lanes.js'

const common = { why: 'w', disruptive: false, destructive: false } as const
const steps: readonly Step[] = [
  { ...common, kind: 'write-passfile' },
  { ...common, kind: 'initialise', node: 'db1' },
  ...['db2', 'db3', 'db4'].flatMap((standby): readonly Step[] => [
    { ...common, kind: 'create-slot', node: 'db1', slot: standby, standby },
    { ...common, kind: 'copy-primary', node: standby, from: 'db1' },
    { ...common, kind: 'start', node: standby },
  ]),
  { ...common, kind: 'reload', node: 'db1' },
]
const chains = new Map(['db2', 'db3', 'db4'].map((name) => [name, ['db1']]))
const nameOf = (step: Step) =>
  `${step.kind} ${'standby' in step ? step.standby : 'node' in step ? step.node : ''}`.trim()

/** Steps that end when they are told to. */
function held() {
  const begun: string[] = []
  const ends = new Map<string, (error?: Error) => void>()
  const run = (step: Step) =>
    new Promise<void>((resolve, reject) => {
      begun.push(nameOf(step))
      ends.set(nameOf(step), (error) => (error === undefined ? resolve() : reject(error)))
    })
  const end = async (name: string, error?: Error) => {
    ends.get(name)?.(error)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { begun, run, end }
}

describe('runInLanes', () => {
  it('begins the standbys together, after what comes before them, and ends with what comes after all', async () => {
    const { begun, run, end } = held()
    const running = runInLanes(steps, { chains, most: 2 }, run)
    expect(begun).toEqual(['write-passfile'])
    await end('write-passfile')
    await end('initialise db1')
    expect(begun.slice(2)).toEqual(['create-slot db2', 'create-slot db3'])
    await end('create-slot db3')
    expect(begun.slice(4)).toEqual(['copy-primary db3'])
    await end('copy-primary db3')
    await end('start db3')
    expect(begun.slice(5)).toEqual(['start db3', 'create-slot db4'])
    for (const name of ['create-slot db2', 'copy-primary db2', 'start db2']) await end(name)
    for (const name of ['create-slot db4', 'copy-primary db4']) await end(name)
    expect(begun).not.toContain('reload db1')
    await end('start db4')
    await end('reload db1')
    await running
    expect(begun).toHaveLength(steps.length)
  })

  it('begins nothing after an error, and throws it when what was begun has ended', async () => {
    const { begun, run, end } = held()
    const running = runInLanes(steps, { chains, most: 2 }, run)
    let thrown: unknown
    const settled = running.catch((error: unknown) => {
      thrown = error
    })
    await end('write-passfile')
    await end('initialise db1')
    const failure = new Error('disk full')
    await end('create-slot db2', failure)
    expect(thrown).toBeUndefined()
    await end('create-slot db3')
    await settled
    expect(thrown).toBe(failure)
    expect(begun.slice(2)).toEqual(['create-slot db2', 'create-slot db3'])
  })

  it('begins nothing of a standby before that of its upstream has ended', async () => {
    const { begun, run, end } = held()
    const cascade: readonly Step[] = [
      { ...common, kind: 'start', node: 'db2' },
      { ...common, kind: 'start', node: 'db4' },
      { ...common, kind: 'create-slot', node: 'db2', slot: 'db3', standby: 'db3' },
      { ...common, kind: 'start', node: 'db3' },
    ]
    const inChain = new Map([...chains, ['db3', ['db2', 'db1']]])
    const running = runInLanes(cascade, { chains: inChain, most: 4 }, run)
    expect(begun).toEqual(['start db2', 'start db4'])
    await end('start db4')
    expect(begun).toHaveLength(2)
    await end('start db2')
    expect(begun.slice(2)).toEqual(['create-slot db3'])
    await end('create-slot db3')
    await end('start db3')
    await running
  })
})
