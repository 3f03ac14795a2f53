import { errorCodes, MaestraError } from '@maestra/client/base/error'
import { expect, test } from 'vitest'
import { exitCodeOf } from './exit-code.js'

test.each([
  [130, new MaestraError('interrupted', 'stopped by SIGINT')],
  [2, new MaestraError('bad-usage', 'no')],
  [2, new MaestraError('cluster-file-invalid', 'no')],
  [2, new MaestraError('cluster-file-missing', 'no')],
  [1, new MaestraError('port-taken', 'no')],
  [1, new Error('a fault')],
  [1, undefined],
])('is %i for %s', (code, error) => {
  expect(exitCodeOf(error)).toBe(code)
})

test('is never 0 for an error, nor the 3 that means a difference', () => {
  for (const code of Object.keys(errorCodes) as (keyof typeof errorCodes)[]) {
    expect([1, 2, 130], code).toContain(exitCodeOf(new MaestraError(code, 'x')))
  }
})
