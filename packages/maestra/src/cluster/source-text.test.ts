import { describe, expect, test } from 'vitest'
import { SourceText } from './source-text.js'

function at(text: string, offset: number): [number, number, string] {
  const { line, column, text: shown } = new SourceText(text, '/f').place(offset)
  return [line, column, shown]
}

describe('the place of an offset', () => {
  test.each<[string, string, number, [number, number, string]]>([
    ['in an empty text', '', 0, [1, 1, '']],
    ['at the beginning', 'ab\ncd', 0, [1, 1, 'ab']],
    ['at a line end', 'ab\ncd', 2, [1, 3, 'ab']],
    ['at the beginning of a line', 'ab\ncd', 3, [2, 1, 'cd']],
    ['at the end', 'ab\ncd', 5, [2, 3, 'cd']],
    ['behind the last line end', 'ab\n', 3, [2, 1, '']],
    ['beyond the end', 'ab', 9, [1, 3, 'ab']],
    ['before the beginning', 'ab', -1, [1, 1, 'ab']],
    ['in an empty line', 'a\n\nb', 2, [2, 1, '']],
    ['with line ends of Windows', 'ab\r\ncd\r\n', 5, [2, 2, 'cd']],
    ['with a tab', '\tab', 1, [1, 2, '\tab']],
  ])('%s', (_, text, offset, place) => {
    expect(at(text, offset)).toStrictEqual(place)
  })

  test('shows no control character of the line', () => {
    expect(at('a\u001b[31mb\u009bc', 0)).toStrictEqual([1, 1, 'a\ufffd[31mb\ufffdc'])
  })
})
