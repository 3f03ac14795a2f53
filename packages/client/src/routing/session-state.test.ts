import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { free, nextState, once, pinned, refusalOf, type SessionInput } from './session-state.js'
import type { StatementKind } from './statement/statement.js'

const inputs: readonly SessionInput[] = [
  { kind: 'statement', isRead: true },
  { kind: 'statement', isRead: false },
  { kind: 'submittable' },
  { kind: 'touched' },
]

describe('a client of connect()', () => {
  it('borrows servers as long as it reads in autocommit, and keeps a connection from anything else on (S2)', () => {
    expect(inputs.map((input) => nextState(free, input))).toEqual([
      free,
      pinned('statement'),
      pinned('submittable'),
      pinned('touched'),
    ])
  })

  it('never gives a connection back before it is released, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...inputs)), (happened) => {
        const kept = pinned('statement')
        expect(happened.reduce(nextState, kept)).toBe(kept)
        expect(nextState(kept, { kind: 'released' })).toBe(free)
      }),
    )
  })
})

describe('one statement of pool.query', () => {
  it('keeps nothing', () => {
    expect(inputs.map((input) => nextState(once, input))).toEqual(inputs.map(() => once))
  })

  it.each<[StatementKind, 'transaction-on-pool' | undefined]>([
    ['begin', 'transaction-on-pool'],
    ['commit', 'transaction-on-pool'],
    ['rollback', 'transaction-on-pool'],
    ['savepoint', 'transaction-on-pool'],
    ['read', undefined],
    ['read-on-primary', undefined],
    ['row-change', undefined],
    ['other', undefined],
  ])('of the kind %s: %s (S1)', (kind, refusal) => {
    const statement = {
      kind,
      reason: 'utility',
      single: true,
      mayWrite: true,
      maySetParameters: false,
      changesNames: false,
      replicaByHint: false,
    } as const
    expect(refusalOf(once, statement)).toBe(refusal)
    expect(refusalOf(free, statement)).toBeUndefined()
  })
})
