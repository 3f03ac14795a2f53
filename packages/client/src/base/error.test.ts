import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { codeOf, errorCodes, MaestraError, messageOf } from './error.js'

describe('an error', () => {
  test('carries its code, its message, its hint and its cause', () => {
    const cause = new Error('EACCES')
    const error = new MaestraError('no-permission', 'cannot read /srv', { hint: 'ls -ld /srv', cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'MaestraError',
      code: 'no-permission',
      message: 'cannot read /srv',
      hint: 'ls -ld /srv',
      cause,
    })
  })

  test('has no cause where none is given', () => {
    const error = new MaestraError('bad-usage', 'no')
    expect(Object.hasOwn(error, 'cause')).toBe(false)
    expect(error.hint).toBeUndefined()
  })

  test('has a code that is a kebab-case word, with one sentence that explains it', () => {
    for (const [code, meaning] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[a-z]+(-[a-z]+)*$/)
      expect(meaning, code).toMatch(/^[A-Z].*\.$/)
    }
  })
})

/** As jest gives it to the code under test: its class is none of ours. */
const ofAnotherRealm: unknown = runInNewContext(`Object.assign(new Error('not there'), { code: 'ENOENT' })`)

describe('the code of what was thrown', () => {
  test.each([
    ['an error of the system', Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT'],
    ['an error of another realm', ofAnotherRealm, 'ENOENT'],
    ['an error without one', new Error('x'), undefined],
    ['a text', 'ENOENT', undefined],
    ['null', null, undefined],
  ])('is found in %s', (_what, thrown, expected) => {
    expect(codeOf(thrown)).toBe(expected)
  })
})

describe('the message of what was thrown', () => {
  test.each([
    ['an error', new Error('broken'), 'broken'],
    ['an error of another realm', ofAnotherRealm, 'not there'],
    ['a text', 'broken', 'broken'],
    ['nothing', undefined, 'undefined'],
    ['an error of several without words', new AggregateError([new Error('v4'), new Error('v6')]), 'v4; v6'],
    ['an error of several with words', new AggregateError([new Error('v4')], 'both failed'), 'both failed'],
  ])('is one text for %s', (_what, thrown, expected) => {
    expect(messageOf(thrown)).toBe(expected)
  })
})
