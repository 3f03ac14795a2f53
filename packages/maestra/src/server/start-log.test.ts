import { describe, expect, it } from 'vitest'
import { lastWords } from './start-log.js'

const stamp = '2026-11-25 00:46:31.123 UTC [123]'

describe('lastWords', () => {
  it('says which setting a server refused', () => {
    const log = [
      `${stamp} LOG:  invalid value for parameter "synchronous_standby_names": "b-2"`,
      `${stamp} DETAIL:  syntax error at or near "-"`,
      `${stamp} FATAL:  configuration file "/x/maestra.conf" contains errors`,
      '',
    ].join('\n')
    expect(lastWords(log)).toBe(
      'LOG: invalid value for parameter "synchronous_standby_names": "b-2"; DETAIL: syntax error at or near "-"; FATAL: configuration file "/x/maestra.conf" contains errors',
    )
  })

  it('passes over what a server says in good order', () => {
    const log = [
      `${stamp} LOG:  starting PostgreSQL 18.4`,
      `${stamp} LOG:  could not bind IPv4 address "127.0.0.1": Address already in use`,
      `${stamp} LOG:  database system is shut down`,
    ].join('\n')
    expect(lastWords(log)).toBe('LOG: could not bind IPv4 address "127.0.0.1": Address already in use')
  })

  it('gives the last lines where none is telling', () => {
    expect(lastWords('something\nelse\n')).toBe('something; else')
    expect(lastWords('')).toBe('')
  })
})
