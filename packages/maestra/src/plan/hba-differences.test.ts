import type { HbaLine } from '@maestra/client/postgres/hba'
import { expect, test } from 'vitest'
import { hbaDifferences } from './hba-differences.js'

const rule = (address: string, method = 'scram-sha-256'): HbaLine => ({
  type: 'host',
  database: 'all',
  user: 'all',
  address,
  method,
})
const a = 'host all all 10.0.0.0/8 scram-sha-256'
const b = 'host all all 10.9.0.0/16 scram-sha-256'
const declared = [rule('10.0.0.0/8'), rule('10.9.0.0/16')]

test('finds none in the declared lines, with or without an ending', () => {
  expect(hbaDifferences(declared, `${a}\n${b}\n`)).toEqual([])
  expect(hbaDifferences([], undefined)).toEqual([])
})

test('names the line of a rule that is too much, and no line for one that is missing', () => {
  const foreign = 'local all all peer'
  expect(hbaDifferences(declared, `${a}\n\n${foreign}\n`)).toEqual([{ line: 3, from: foreign }, { to: b }])
  expect(hbaDifferences(declared, undefined)).toEqual([{ to: a }, { to: b }])
})

test('tells an edited rule as one difference', () => {
  const edited = a.replace('scram-sha-256', 'trust')
  expect(hbaDifferences(declared, `${edited}\n${b}`)).toEqual([{ line: 1, from: edited, to: a }])
})

test('says that only the order is another one', () => {
  expect(hbaDifferences(declared, `${b}\n${a}`)).toEqual([
    { line: 1, what: 'rules', from: 'in another order', to: 'in the declared order' },
  ])
})

test('prints no password of a rule', () => {
  const [found] = hbaDifferences([], 'host all all all ldap ldapbindpasswd=hunter2')
  expect(found?.from).toBe('host all all all ldap ldapbindpasswd=***')
})
