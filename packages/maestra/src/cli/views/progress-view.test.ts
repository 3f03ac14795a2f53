import { expect, test } from 'vitest'
import type { ApplyEvent } from '../../apply/apply-plan.js'
import { harmless } from '../../plan/draft.js'
import type { Step } from '../../plan/step.js'
import { plain, type Terminal } from '../terminal.js'
import { coloured } from './coloured.fixture.js'
import { progressView } from './progress-view.js'
import { stripColours } from './table.js'

const step: Step = { kind: 'copy-primary', node: 'db2', from: 'db1', why: 'w', ...harmless }
const started: ApplyEvent = { kind: 'step-started', step, index: 0, count: 3 }
const progressed = (receivedBytes: number, totalBytes: number | undefined): ApplyEvent => ({
  kind: 'step-progressed',
  step,
  progress: { receivedBytes, totalBytes },
})
const ended: ApplyEvent = { kind: 'step-ended', step, result: 'done', tookMs: 1234 }
const erase = '\r\u001b[2K'

function shown(to: Terminal, events: readonly ApplyEvent[], clear = false, everyMs = 100): readonly string[] {
  const written: string[] = []
  let nowMs = 0
  const tick = () => {
    nowMs += everyMs
    return nowMs
  }
  const view = progressView((text) => written.push(stripColours(text)), to, tick)
  for (const event of events) view.onEvent(event)
  if (clear) view.clear()
  return written
}

test('off a terminal each step is one line when it has ended', () => {
  const already: ApplyEvent = { kind: 'step-ended', step, result: 'already', tookMs: 1 }
  expect(shown(plain, [started, progressed(1, 2), ended, already], true)).toEqual([
    '  ✓ db2: copy db1 (base backup) (1.2 s)\n',
    '  ✓ db2: copy db1 (base backup) (is so already)\n',
  ])
})

test('on a terminal the current step moves in its line and gives way to its end', () => {
  const wide = { ...coloured, columns: 200 }
  expect(
    shown(wide, [
      started,
      progressed(1024, 4096),
      progressed(9999, 4096),
      progressed(2048, undefined),
      progressed(0, 0),
      ended,
    ]),
  ).toEqual([
    `${erase}  … [1/3] db2: copy db1 (base backup)`,
    `${erase}  … db2: copy db1 (base backup): 1.0 kB of 4.0 kB`,
    `${erase}  … db2: copy db1 (base backup): 9.8 kB of 9.8 kB`,
    `${erase}  … db2: copy db1 (base backup): 2.0 kB`,
    `${erase}  … db2: copy db1 (base backup): 0 B of 0 B`,
    erase,
    '  ✓ db2: copy db1 (base backup) (1.2 s)\n',
  ])
})

test('a line moves ten times a second at most', () => {
  const reports = Array.from({ length: 31 }, (_, index) => progressed(index, 30))
  expect(shown({ ...coloured, columns: 200 }, reports, false, 10)).toHaveLength(4)
})

test('a moving line never wraps, so that it can be erased', () => {
  const [line = ''] = shown(coloured, [started]).map((text) => text.replace(erase, ''))
  expect(line.length).toBeLessThan(coloured.columns)
  expect(shown({ ...coloured, columns: 20 }, [started])[0]?.replace(erase, '')).toHaveLength(19)
})

test('what is unfinished is taken away once', () => {
  expect(shown(coloured, [started], true).at(-1)).toBe(erase)
  expect(shown(coloured, [], true)).toEqual([])
  expect(shown(coloured, [started, ended], true).at(-1)).toContain('✓')
})
