import { describe, expect, it } from 'vitest'
import { badValue, damagedFile, quoted } from './bad-value.js'

describe('quoted', () => {
  it('keeps a value on one line', () => {
    expect(quoted('a\nb"c')).toBe('"a\\nb\\"c"')
  })

  it('cuts a long value and says so', () => {
    expect(quoted('x'.repeat(80))).toBe(`"${'x'.repeat(80)}"`)
    expect(quoted('x'.repeat(81))).toBe(`"${'x'.repeat(80)}…"`)
  })
})

describe('badValue and damagedFile', () => {
  it('carry their code and the hint', () => {
    expect(badValue('x is wrong', 'Write y.')).toMatchObject({
      code: 'bad-value',
      message: 'x is wrong',
      hint: 'Write y.',
    })
    expect(damagedFile('x is wrong', 'Fetch y.')).toMatchObject({ code: 'damaged-file', hint: 'Fetch y.' })
  })
})
