import { expect, test } from 'vitest'
import { bytesText, timeText } from './amount-text.js'

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 kB'],
  [16 * 1024 * 1024, '16.0 MB'],
  [150 * 1024 * 1024, '150 MB'],
  [2 ** 60, '1048576 TB'],
])('%i bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [119_000, '119.0 s'],
  [180_000, '3 min'],
  [119 * 60_000, '119 min'],
  [6_120_000 * 2, '3.4 h'],
  [47.9 * 3_600_000, '47.9 h'],
  [12 * 86_400_000, '12 d'],
])('%i ms are %s', (ms, text) => {
  expect(timeText(ms)).toBe(text)
})
