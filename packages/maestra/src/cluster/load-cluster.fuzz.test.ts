import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'

const file = '/srv/shop/maestra.yaml'

const whole = readFileSync(join(import.meta.dirname, 'load-cluster.fixture.yaml'), 'utf8')

describe('never throws', () => {
  /** A cluster is given exactly when nothing was found. */
  const holds = (text: string) => {
    const { cluster, findings } = loadCluster(text, file)
    expect(cluster === undefined).toBe(findings.length > 0)
    for (const { message, place } of findings) {
      expect(message).not.toMatch(/undefined|\[object|\n/)
      expect(place?.line).toBeGreaterThan(0)
    }
  }

  test('on arbitrary text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), holds))
    const signs = fc.constantFrom(...'\n\n  -:?[]{}&*!|>%@`"\'#,~<ab1\t\r\uFEFF')
    fc.assert(
      fc.property(fc.array(signs, { maxLength: 60 }), (letters) => holds(letters.join(''))),
      { numRuns: 300 },
    )
  })

  test('on a cluster file with a piece taken out, doubled or exchanged', () => {
    const position = fc.nat(whole.length)
    const piece = fc.oneof(
      fc.constantFrom(
        '',
        ' ',
        '\n',
        '- ',
        ': ',
        '*a',
        '&a ',
        '!x ',
        '~',
        '[',
        '}',
        '"',
        '18',
        'null',
        '\t',
        '__proto__: 1',
      ),
      fc.string({ maxLength: 4 }),
    )
    const edited = fc
      .tuple(position, position, piece)
      .map(([from, to, put]) => whole.slice(0, from) + put + whole.slice(to))
    fc.assert(fc.property(edited, holds), { numRuns: 300 })
  })

  test('on data of any shape', () => {
    const keys = fc.constantFrom(
      'cluster',
      'postgres',
      'version',
      'nodes',
      'name',
      'data',
      'parameters',
      'allow',
      'archive',
      'directory',
      'port',
      'x',
    )
    const leaf = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null), fc.integer())
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(keys, tie('value'), { maxKeys: 6 }),
      ),
    }))
    fc.assert(
      fc.property(value, (data) => holds(JSON.stringify(data) ?? '')),
      { numRuns: 200 },
    )
  })
})
