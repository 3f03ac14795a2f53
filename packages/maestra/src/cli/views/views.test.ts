import { MaestraError } from '@maestra/client/base/error'
import { describe, expect, test } from 'vitest'
import { plain } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { errorView } from './error-view.js'
import { resultJson, resultsView } from './result-view.js'
import { stripColours, table } from './table.js'

describe('a table', () => {
  test('aligns to the left, two spaces apart, with nothing at the end of a line', () => {
    expect(
      table([
        ['A', 'B'],
        ['long', ''],
        ['x', 'y'],
      ]),
    ).toBe('A     B\nlong\nx     y\n')
  })

  test('measures cells without their colours', () => {
    const red = coloured.colour('red', 'ab')
    expect(
      stripColours(
        table([
          [red, 'c'],
          ['abc', 'd'],
        ]),
      ),
    ).toBe(
      table([
        ['ab', 'c'],
        ['abc', 'd'],
      ]),
    )
  })

  test('of no rows is empty', () => {
    expect(table([])).toBe('')
  })
})

describe('an error', () => {
  test('says what is wrong and what to try, on two lines', () => {
    const error = new MaestraError('port-taken', 'port 5441 is taken', { hint: 'ss -ltnp', cause: new Error('secret') })
    expect(errorView(error, plain)).toBe('Error: port 5441 is taken\nTry: ss -ltnp\n')
    expect(stripColours(errorView(error, coloured))).toBe(errorView(error, plain))
    expect(errorView(error, coloured)).toContain('\u001b[31mError:')
  })

  test('has no line to try where there is no hint', () => {
    expect(errorView(new MaestraError('bad-usage', 'no'), plain)).toBe('Error: no\n')
  })

  test('that is not ours is called a fault of Maestra, with its stack', () => {
    expect(errorView(new TypeError('x is undefined'), plain)).toMatch(
      /^Error: this is a fault of Maestra: TypeError: x is undefined\n +at /,
    )
    expect(errorView('a text', plain)).toBe('Error: this is a fault of Maestra: a text\n')
  })
})

describe('results of SQL', () => {
  const rows = {
    command: 'SELECT',
    columns: ['id', 'text'],
    rows: [
      ['1', 'hola'],
      ['22', null],
    ],
    rowCount: 2,
  }
  const written = { command: 'INSERT', columns: [], rows: [], rowCount: 1 }
  const made = { command: 'CREATE', columns: [], rows: [], rowCount: null }

  test('look as in psql', () => {
    expect(resultsView([rows, written, made])).toBe(
      ' id | text\n----+------\n 1  | hola\n 22 |\n(2 rows)\nINSERT 1\nCREATE\n',
    )
    expect(resultsView([{ ...rows, rows: [['1', 'a']], rowCount: 1 }])).toContain('(1 row)')
  })

  test('are rows as objects for each statement, in JSON', () => {
    expect(JSON.parse(resultJson([rows, made]))).toEqual([
      [
        { id: '1', text: 'hola' },
        { id: '22', text: null },
      ],
      [],
    ])
  })
})
