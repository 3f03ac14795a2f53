import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { namesStandby, parseSynchronousStandbyNames } from './synchronous-standby-names.js'

// What the tables say is what `postgres -C port -c synchronous_standby_names=...` of 14 and 18 took and refused.
describe('parseSynchronousStandbyNames', () => {
  it('reads the empty text as nobody', () => {
    expect(parseSynchronousStandbyNames('')).toBeUndefined()
  })

  it.each([
    ['db2', 'FIRST', 1, ['db2']],
    ['db2, db3', 'FIRST', 1, ['db2', 'db3']],
    ['2(db2,db3)', 'FIRST', 2, ['db2', 'db3']],
    ['first 1 (*)', 'FIRST', 1, ['*']],
    ['any 1(a)', 'ANY', 1, ['a']],
    ['ANY 2 ( a , "b c" )', 'ANY', 2, ['a', 'b c']],
    ['"db-2"', 'FIRST', 1, ['db-2']],
    ['"a""b"', 'FIRST', 1, ['a"b']],
    ['""', 'FIRST', 1, ['']],
    ['"any"', 'FIRST', 1, ['any']],
    ['ANYx', 'FIRST', 1, ['ANYx']],
    ['1 (2)', 'FIRST', 1, ['2']],
    ['2', 'FIRST', 1, ['2']],
    ['3 (a)', 'FIRST', 3, ['a']],
    ['é', 'FIRST', 1, ['é']],
    ['a$1', 'FIRST', 1, ['a$1']],
  ])('reads %s', (text, method, count, names) => {
    expect(parseSynchronousStandbyNames(text)).toEqual({ method, count, names })
  })

  it.each([
    ' ',
    'db-2',
    'FIRST 0 (a)',
    'ANY 1 (a',
    'a b',
    'any',
    'any 1 (first)',
    'a,,b',
    'a,',
    '"a',
    '$a',
    '1a',
    'x (a)',
    'ANY 2 a',
    '-1 (a)',
    'any1 (a)',
    '1 ()',
    '1 (a) b',
  ])('refuses %j', (text) => {
    expect(() => parseSynchronousStandbyNames(text)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })

  it('reads any name in double quotes', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (names) => {
        const text = names.map((name) => `"${name.replaceAll('"', '""')}"`).join(' , ')
        expect(parseSynchronousStandbyNames(`ANY 1 (${text})`)?.names).toEqual(names)
      }),
    )
  })
})

describe('namesStandby', () => {
  it('compares names in any case, and takes a star for every one', () => {
    const names = (text: string) => parseSynchronousStandbyNames(text) as never
    expect(namesStandby(names('DB2, db3'), 'db2')).toBe(true)
    expect(namesStandby(names('db2'), 'db3')).toBe(false)
    expect(namesStandby(names('*'), 'db3')).toBe(true)
  })
})
