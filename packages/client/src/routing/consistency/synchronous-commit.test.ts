import { describe, expect, it } from 'vitest'
import { SynchronousCommit } from './synchronous-commit.js'

const plain = { maySetParameters: false }

describe('W4: a commit is surely synchronous', () => {
  it.each(['on', 'local', 'remote_write', 'remote_apply'])(
    'while the profile says %s and nothing speaks against it',
    (value) => {
      const connection = new SynchronousCommit(value)
      connection.ran(plain)
      connection.seen(value)
      expect(connection.surely(false)).toBe(true)
    },
  )

  it('never when the profile switches it off', () => {
    expect(new SynchronousCommit('off').surely(false)).toBe(false)
  })

  it('no more when something ran that may have set it, even if it looks the same afterwards', () => {
    const connection = new SynchronousCommit('on')
    connection.ran({ maySetParameters: true })
    connection.ran(plain)
    connection.seen('on')
    expect(connection.surely(false)).toBe(false)
  })

  it('no more when another value was seen, even if it is back', () => {
    const connection = new SynchronousCommit('on')
    connection.seen('off')
    connection.seen('on')
    expect(connection.surely(false)).toBe(false)
  })

  it('not while a user function mentions synchronous_commit, and again when none does', () => {
    const connection = new SynchronousCommit('on')
    expect(connection.surely(true)).toBe(false)
    expect(connection.surely(false)).toBe(true)
  })
})
