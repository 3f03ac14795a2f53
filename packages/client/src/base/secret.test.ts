import { format, inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from './secret.js'

const secret = new Secret('hunter2')

test('gives its text to who asks for it by name', () => {
  expect(secret.reveal()).toBe('hunter2')
})

test.each<[string, () => string]>([
  ['String()', () => String(secret)],
  ['a template', () => `${secret}`],
  ['concatenation', () => 'is ' + secret],
  ['joining', () => [secret, secret].join()],
  ['JSON', () => JSON.stringify({ deep: [{ secret }] })],
  ['inspect', () => inspect(secret)],
  [
    'inspect of what holds it, with everything shown',
    () => inspect({ deep: [{ secret }] }, { showHidden: true, depth: null }),
  ],
  ['a map and a set', () => inspect([new Map([['a', secret]]), new Set([secret])], { depth: null })],
  ['console.log as text', () => format('%s', secret)],
  ['console.log as object', () => format('%o %O %j', secret, { secret }, { secret })],
  ['an error that holds it', () => inspect(Object.assign(new Error('x'), { secret }))],
  ['its own keys', () => inspect([Reflect.ownKeys(secret), Object.entries(secret), { ...secret }])],
  ['a copy', () => inspect(structuredClone(secret))],
])('does not print its text by %s', (_how, print) => {
  expect(print()).not.toContain('hunter2')
})

test('shows that something is there', () => {
  expect([`${secret}`, JSON.stringify(secret), inspect(secret)]).toEqual(['***', '"***"', 'Secret(***)'])
})
