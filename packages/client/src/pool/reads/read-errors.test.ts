import { describe, expect, it } from 'vitest'
import { type Again, againAfter } from './read-errors.js'

const error = (code: string, message = '') => Object.assign(new Error(message), { code })

describe('a read that failed (R7)', () => {
  it.each<[string, Error, Again, Again]>([
    ['its connection broke', new Error('Connection terminated unexpectedly'), 'elsewhere', 'elsewhere'],
    ['the socket was reset', error('ECONNRESET'), 'elsewhere', 'elsewhere'],
    ['the server shuts down', error('57P01'), 'elsewhere', 'elsewhere'],
    ['the server has crashed', error('57P02'), 'elsewhere', 'elsewhere'],
    ['the server does not take connections yet', error('57P03'), 'elsewhere', 'elsewhere'],
    ['there are too many connections', error('53300'), 'elsewhere', 'elsewhere'],
    ['a recovery conflict', error('40001'), 'elsewhere', 'no'],
    ['the database was dropped there', error('57P04'), 'elsewhere', 'no'],
    ['it writes', error('25006'), 'on-primary', 'no'],
    [
      'not during recovery',
      error('0A000', 'cannot use serializable mode in a hot standby during recovery'),
      'on-primary',
      'no',
    ],
    ['no such feature', error('0A000', 'not implemented'), 'no', 'no'],
    ['a table that is not replayed yet', error('42P01'), 'on-primary', 'no'],
    ['a column that is not replayed yet', error('42703'), 'on-primary', 'no'],
    ['a function that is not replayed yet', error('42883'), 'on-primary', 'no'],
    ['an object that is not replayed yet', error('42704'), 'on-primary', 'no'],
    ['cancelled, or out of time', error('57014'), 'no', 'no'],
    ['divided by zero', error('22012'), 'no', 'no'],
    ['an error of the application', new TypeError('no'), 'no', 'no'],
  ])('%s', (_what, failure, onReplica, onPrimary) => {
    expect([againAfter(failure, true), againAfter(failure, false)]).toEqual([onReplica, onPrimary])
  })
})
