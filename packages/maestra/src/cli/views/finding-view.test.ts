import { expect, test } from 'vitest'
import type { Finding } from '../../cluster/finding.js'
import { plain } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { findingsView } from './finding-view.js'
import { stripColours } from './table.js'

const finding = (text: string, column: number, line = 3): Finding => ({
  rule: 'unknown-key',
  severity: 'error',
  message: '`prot` is no key',
  hint: 'write `port`',
  place: { file: '/shop/maestra.yaml', line, column, text },
})

/** The character of the line that stands above the caret. */
const marked = (view: string) => {
  const [, text = '', mark = ''] = view.split('\n')
  return text[mark.indexOf('^')]
}

test('shows the place, the line, a caret below the column, and what to try', () => {
  expect(findingsView([finding('  prot: 5441', 3)], plain)).toBe(
    'Error: /shop/maestra.yaml:3:3: `prot` is no key\n3 |   prot: 5441\n  |   ^\nTry: write `port`\n',
  )
})

test.each([
  ['the first column', 'prot: 1', 1, 3, 'p'],
  ['behind tabs', '\t\tprot: 1', 3, 3, 'p'],
  ['a line with a number of many digits', 'a: { prot: 1 }', 6, 12345, 'p'],
  ['behind letters beyond ASCII', 'ñandú: prot', 8, 3, 'p'],
])('puts the caret below %s', (_where, text, column, line, expected) => {
  expect(marked(findingsView([finding(text, column, line)], plain))).toBe(expected)
})

test('keeps tabs in front of the caret, so that it stands right at any width of a tab', () => {
  const [, , mark] = findingsView([finding('\t\tprot: 1', 3)], plain).split('\n')
  expect(mark).toBe('  | \t\t^')
})

test('puts the caret behind the end of a line where something is missing', () => {
  expect(findingsView([finding('port:', 6)], plain)).toContain('3 | port:\n  |      ^\n')
})

test('says warnings, and findings without a place or a hint, in one line each', () => {
  const warning = { ...finding('', 1), severity: 'warning', place: undefined, hint: undefined } as const
  expect(findingsView([warning, warning], plain)).toBe('Warning: `prot` is no key\nWarning: `prot` is no key\n')
})

test('is the same text in colours', () => {
  const all = [finding('prot: 1', 1)]
  expect(findingsView(all, coloured)).toContain('\u001b[31mError:\u001b[39m')
  expect(stripColours(findingsView(all, coloured))).toBe(findingsView(all, plain))
})
