import { describe, expect, it } from 'vitest'
import { conninfoChoice } from './conninfo-choice.js'

const choice = { targetSessionAttrs: 'any', loadBalanceHosts: 'disable' }

describe('conninfoChoice', () => {
  it('has the defaults of libpq where nothing is said', () => {
    expect(conninfoChoice({ host: 'a,b' })).toEqual(choice)
  })

  it.each(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])(
    'takes target_session_attrs=%s',
    (word) => {
      expect(conninfoChoice({ target_session_attrs: word })).toEqual({ ...choice, targetSessionAttrs: word })
    },
  )

  it.each(['disable', 'random'])('takes load_balance_hosts=%s', (word) => {
    expect(conninfoChoice({ load_balance_hosts: word })).toEqual({ ...choice, loadBalanceHosts: word })
  })

  // psql 15 refuses each of these values of target_session_attrs too.
  it.each([
    [{ target_session_attrs: 'secondary' }, 'target_session_attrs in the connection string is "secondary"'],
    [{ target_session_attrs: 'Any' }, 'target_session_attrs in the connection string is "Any"'],
    [{ target_session_attrs: '' }, 'target_session_attrs in the connection string is ""'],
    [{ load_balance_hosts: 'on' }, 'load_balance_hosts in the connection string is "on"'],
  ])('refuses %j', (params, message) => {
    expect(() => conninfoChoice(params)).toThrow(expect.objectContaining({ code: 'bad-value', message }))
  })

  it('says which values there are', () => {
    expect(() => conninfoChoice({ load_balance_hosts: 'on' })).toThrow(
      expect.objectContaining({ hint: 'The values of load_balance_hosts are disable, random.' }),
    )
  })
})
