import fc from 'fast-check'
import { loadModule, parseSync } from 'libpg-query'
import { beforeAll, describe, expect, test } from 'vitest'
import { outlineOf } from './sql-text.js'

beforeAll(() => loadModule())

describe('the outline of a text', () => {
  test.each([
    ['', '', false],
    [' ; -- a', '', false],
    ['select 1', 'select', false],
    [';;SELECT\n1;; /* a; b */ -- c;', 'select', false],
    ['begin;commit', 'begin', true],
    ['select 1 -- ;\n; select 2', 'select', true],
    [`select 1; 'a'`, 'select', true],
    ['((select a', 'select a', false],
    ['/* a /* b */ */ -- c\nstart /* d */ Transaction read only', 'start transaction', false],
    [`select ';' || E'\\';' || e'\\\\' || $$;$$ || $a$;$b$;$a$ as "x;"`, 'select', false],
    [`select date'2020;' || e';\\\\'; select 1`, 'select date', true],
    [`select date'\\'; select 1`, 'select date', true],
    [`select a$b$c; select d$b$`, 'select a', true],
    [`select $1, $2; select $1`, 'select', true],
    [`select 'a\\'; select 1`, 'select', true],
    [`select 'unfinished; select 1`, 'select', false],
    [`select 'a'';' ; /* a */ ;`, 'select', false],
  ])('%j has the words %j; several: %s', (text, words, several) => {
    expect(outlineOf(text)).toEqual({ words, several })
  })

  test('tells one statement from several as the grammar does', () => {
    const pieces = [
      'select ',
      '1',
      ';',
      `';'`,
      `'\\'`,
      `e'\\';'`,
      `E'\\\\'`,
      '$$;$$',
      '$a$;',
      '$a$',
      '"',
      `'`,
      '--',
      '\n',
      '/*',
      '*/',
      ' ',
      'a',
      '$1',
      '$',
      `date'x'`,
      ', ',
      'e',
      '(',
    ]
    let compared = 0
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 12 }), (parts) => {
        const text = `select 1 ${parts.join('')}`
        const statements = countOf(text)
        if (statements === undefined) return
        compared += 1
        expect(outlineOf(text).several).toBe(statements > 1)
      }),
      { numRuns: 3_000 },
    )
    expect(compared).toBeGreaterThan(100)
  })
})

/** How many statements the grammar sees; undefined where it sees no text of SQL. */
function countOf(text: string): number | undefined {
  try {
    return parseSync(text).stmts?.length
  } catch {
    return undefined
  }
}
