import { describe, expect, test } from 'vitest'
import { insteadOf, isOff, parameterNamePattern } from './parameters.js'

describe('the name of a parameter', () => {
  test.each(['work_mem', 'Work_Mem', '_x', 'auto_explain.log_min_duration', 'a.b.c', 'a$1'])('may be %s', (name) => {
    expect(name).toMatch(parameterNamePattern)
  })

  test.each(['', '1x', 'a-b', 'a b', 'a.', '.a', 'a..b', "a'", 'a\nb', '__proto__'])('is not %j', (name) => {
    expect(name).not.toMatch(parameterNamePattern)
  })
})

describe('a parameter that is declared elsewhere', () => {
  test.each(['port', 'PORT', 'primary_conninfo', 'include', 'maestra.cluster', 'Maestra.Node'])('is %s', (name) => {
    expect(insteadOf(name)).toEqual(expect.any(String))
  })

  test.each(['listen_addresses', 'unix_socket_directories', 'hot_standby', 'constructor', 'toString', 'maestra'])(
    'is not %s',
    (name) => {
      expect(insteadOf(name)).toBeUndefined()
    },
  )
})

describe('a value that PostgreSQL reads as off', () => {
  test.each(['off', 'OFF', 'of', 'false', 'f', 'no', 'n', '0', ' off ', false, 0])('is %j', (value) => {
    expect(isOff(value)).toBe(true)
  })

  test.each(['on', 'true', 'yes', '1', 'o', '', 'offline', true, 1, null, undefined, {}])('is not %j', (value) => {
    expect(isOff(value)).toBe(false)
  })
})
