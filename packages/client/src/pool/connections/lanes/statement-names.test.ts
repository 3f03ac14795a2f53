import type pg from 'pg'
import { describe, expect, it } from 'vitest'
import { type QueryCall, queryCall } from '../../calls/query-arguments.js'
import { mayBeOfName, StatementNames } from './statement-names.js'

function nameOf({ config }: QueryCall): string | undefined {
  return typeof config === 'string' ? undefined : (config as pg.QueryConfig).name
}

/** As often as it takes to be worth a name. */
function namedCall(names: StatementNames, call: QueryCall): QueryCall {
  for (let use = 0; use < 4; use += 1) expect(nameOf(names.named(call))).toBeUndefined()
  return names.named(call)
}

describe('names of texts', () => {
  it('are given to a text that comes again and again, with the values of each call', () => {
    const names = new StatementNames()
    const first = namedCall(names, queryCall('select $1', [1]))
    expect(first).toMatchObject({ config: { text: 'select $1', values: [1] }, values: undefined })
    const second = names.named(queryCall({ text: 'select $1', values: [2], rowMode: 'array' }))
    expect(second.config).toEqual({ text: 'select $1', values: [2], rowMode: 'array', name: nameOf(first) })
    expect(nameOf(namedCall(names, queryCall('select $1::text', [1])))).not.toBe(nameOf(first))
  })

  it('are not given to objects with getters, nor to long texts', () => {
    const names = new StatementNames()
    class Tagged {
      get text() {
        return 'select $1'
      }
      get values() {
        return [1]
      }
    }
    const long = queryCall(`select $1, '${'x'.repeat(5000)}'`, [1])
    for (const call of [queryCall(new Tagged()), long]) {
      for (let use = 0; use < 10; use += 1) expect(names.named(call)).toBe(call)
    }
  })

  it('are limited in number, whatever comes', () => {
    const names = new StatementNames()
    const given = new Set<string | undefined>()
    for (let text = 0; text < 500; text += 1) {
      const call = queryCall(`select $1, ${text}`, [1])
      for (let use = 0; use < 6; use += 1) given.add(nameOf(names.named(call)))
    }
    given.delete(undefined)
    expect(given.size).toBe(200)
  })

  it('are not given to a text without values, which node-postgres sends by another protocol', () => {
    const names = new StatementNames()
    for (const call of [
      queryCall('select 1'),
      queryCall('select 1', []),
      queryCall({ text: 'select 1', values: [] }),
    ]) {
      for (let use = 0; use < 10; use += 1) expect(names.named(call)).toBe(call)
    }
  })

  it.each([
    ['that text was dropped', (names: StatementNames, call: QueryCall) => names.drop(call)],
    ['all were', (names: StatementNames) => names.dropAll()],
  ])('are other ones after %s', (_what, drop) => {
    const names = new StatementNames()
    const call = queryCall('select $1', [1])
    const before = nameOf(namedCall(names, call))
    drop(names, call)
    const after = nameOf(namedCall(names, call))
    expect(after).toBeDefined()
    expect(after).not.toBe(before)
  })

  it.each(['26000', '42P05', '0A000', '22003', '22P02', '42883'])('may be to blame for %s', (code) => {
    expect(mayBeOfName(Object.assign(new Error('no'), { code }))).toBe(true)
  })

  it.each(['57014', '40001', '25006', '57P01', 'ECONNRESET', undefined])('have nothing to do with %s', (code) => {
    expect(mayBeOfName(Object.assign(new Error('no'), { code }))).toBe(false)
  })
})
