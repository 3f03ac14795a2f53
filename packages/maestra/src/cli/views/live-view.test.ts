import { expect, test } from 'vitest'
import { liveView } from './live-view.js'

test('a live text takes the place of the one before', () => {
  const written: string[] = []
  const live = liveView(
    (text) => written.push(text),
    () => 80,
  )
  for (const text of ['a\nb\n', 'c\n', 'd\n']) live.show(text)
  expect(written).toEqual(['a\nb\n', '\u001b[2A\u001b[Jc\n', '\u001b[1A\u001b[Jd\n'])
})

test('a line that is longer than the terminal is wide takes several rows of it, its colours none', () => {
  const written: string[] = []
  const live = liveView(
    (text) => written.push(text),
    () => 10,
  )
  live.show(`${'x'.repeat(21)}\n\u001b[32mgreen\u001b[39m.....\n\n`)
  live.show('again\n')
  expect(written[1]).toBe('\u001b[5A\u001b[Jagain\n')
})
