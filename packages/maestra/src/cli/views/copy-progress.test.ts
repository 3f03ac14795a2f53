import { expect, test } from 'vitest'
import { CopyProgress } from './copy-progress.js'

const megabyte = 1024 * 1024

/** What is said at last, after reports of [seconds, MB]. */
function said(reports: readonly (readonly [number, number])[], totalMb: number | undefined): string | undefined {
  const progress = new CopyProgress()
  return reports
    .map(([seconds, mb]) =>
      progress.text(
        {
          receivedBytes: Math.round(mb * megabyte),
          totalBytes: totalMb === undefined ? undefined : totalMb * megabyte,
        },
        5000 + seconds * 1000,
      ),
    )
    .at(-1)
}

test.each<[string, readonly (readonly [number, number])[], number | undefined, string]>([
  ['at the beginning, the total', [[0, 0]], 3400, '0 B of 3.3 GB'],
  [
    'no rate before half a second',
    [
      [0, 0],
      [0.4, 80],
    ],
    3400,
    '80.0 MB of 3.3 GB',
  ],
  [
    'then a rate and the time that is left',
    [
      [0, 0],
      [1, 210],
      [6, 1260],
    ],
    3400,
    '1.2 GB of 3.3 GB, 210 MB/s, 10 s left',
  ],
  [
    'minutes and hours of a slow one',
    [
      [0, 0],
      [10, 10],
    ],
    3400,
    '10.0 MB of 3.3 GB, 1.0 MB/s, 57 min left',
  ],
  [
    'hours of a slower one',
    [
      [0, 0],
      [10, 10],
    ],
    34_000,
    '10.0 MB of 33.2 GB, 1.0 MB/s, 9.4 h left',
  ],
  [
    'at least a second',
    [
      [0, 0],
      [10, 1000],
    ],
    1001,
    '1000 MB of 1001 MB, 100 MB/s, 1 s left',
  ],
  [
    'nothing of the time where there is no total',
    [
      [0, 0],
      [10, 1000],
    ],
    undefined,
    '1000 MB, 100 MB/s',
  ],
  [
    'no more than there is, when the estimate was too low',
    [
      [0, 0],
      [10, 1000],
    ],
    990,
    '1000 MB of 1000 MB, 100 MB/s',
  ],
  [
    'no rate while nothing comes',
    [
      [0, 5],
      [30, 5],
      [60, 5],
    ],
    10,
    '5.0 MB of 10.0 MB',
  ],
])('says %s', (_, reports, totalMb, text) => {
  expect(said(reports, totalMb)).toBe(text)
})

test('follows a rate that changes, within ten seconds', () => {
  const fast = Array.from({ length: 30 }, (_each, second) => [second, second * 100] as const)
  const slow = Array.from({ length: 12 }, (_each, second) => [30 + second, 2900 + second * 10] as const)
  expect(said([...fast, ...slow], 4000)).toBe('2.9 GB of 3.9 GB, 10.0 MB/s, 99 s left')
})
