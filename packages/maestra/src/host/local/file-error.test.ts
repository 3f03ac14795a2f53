import { expect, test } from 'vitest'
import { fileError } from './file-error.js'

const failed = (code: string, what = 'write') =>
  Object.assign(new Error(`${code}: it failed, ${what} '/srv/db2/x'`), { code })

test.each([
  ['ENOSPC', 'no space left', /^make room, .*df -h \/srv\/db2/],
  ['EROFS', 'read-only', /^see how it is mounted: findmnt -T \/srv\/db2$/],
  ['ENOTDIR', 'not a directory', /^see what is there: ls -ld \/srv\/db2$/],
])('%s is told in words, with where to look', (code, words, hint) => {
  const error = fileError('write', '/srv/db2/x', failed(code))
  expect(error.message).toMatch(new RegExp(`^cannot write /srv/db2/x: .*${words}`))
  expect(error.hint).toMatch(hint)
})

test('a place where no directory can be made says so', () => {
  const error = fileError('make the directory', '/proc/x', failed('ENOENT', 'mkdir'))
  expect(error.message).toBe('cannot make the directory /proc/x: no directory can be made there')
})
