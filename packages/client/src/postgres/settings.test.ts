import { describe, expect, it } from 'vitest'
import { parseSettingInteger, settingFacts, standbyMinimumSettings } from './settings.js'

describe('settingFacts', () => {
  it('knows what needs a restart and what a reload', () => {
    expect(settingFacts('max_connections')).toEqual({ context: 'postmaster', minimumOnStandby: true })
    expect(settingFacts('primary_conninfo')).toEqual({ context: 'sighup', minimumOnStandby: false })
    expect(settingFacts('wal_keep_size')).toEqual({ context: 'sighup', unit: 'MB', minimumOnStandby: false })
    expect(settingFacts('shared_buffers')).toEqual({ context: 'postmaster', unit: '8kB', minimumOnStandby: false })
    expect(settingFacts('synchronous_commit')).toEqual({ context: 'user', minimumOnStandby: false })
  })

  it('knows which versions have a setting', () => {
    expect(settingFacts('idle_replication_slot_timeout')).toMatchObject({ unit: 's', since: 18 })
    expect(settingFacts('promote_trigger_file')).toMatchObject({ until: 15 })
  })

  it('takes names in any case, as PostgreSQL does', () => {
    expect(settingFacts('Max_WAL_Senders')).toEqual(settingFacts('max_wal_senders'))
  })

  it.each(['', 'no_such_setting', 'maestra.x', 'constructor', '__proto__', 'toString'])(
    'knows nothing of %j',
    (name) => {
      expect(settingFacts(name)).toBeUndefined()
    },
  )
})

describe('standbyMinimumSettings', () => {
  it('are the five that a standby has to follow, each of which asks for a restart', () => {
    expect(standbyMinimumSettings).toEqual({
      max_connections: 100,
      max_worker_processes: 8,
      max_wal_senders: 10,
      max_prepared_transactions: 0,
      max_locks_per_transaction: 64,
    })
    for (const name of Object.keys(standbyMinimumSettings)) {
      expect(settingFacts(name)).toEqual({ context: 'postmaster', minimumOnStandby: true })
    }
  })
})

describe('parseSettingInteger', () => {
  // The same values as in column setting of pg_settings of servers of 14 and 18.
  it.each([
    ['shared_buffers', '128MB', 16384],
    ['shared_buffers', '16384', 16384],
    ['shared_buffers', '0xB', 11],
    ['shared_buffers', '12kB', 2],
    ['wal_keep_size', '1GB', 1024],
    ['wal_keep_size', '512', 512],
    ['max_slot_wal_keep_size', '-1', -1],
    ['checkpoint_timeout', '5min', 300],
    ['checkpoint_timeout', '1500ms', 2],
    ['wal_sender_timeout', '1min', 60000],
    ['wal_sender_timeout', '1.4999', 1],
    ['wal_sender_timeout', '1.4999ms', 2],
    ['max_connections', '100', 100],
    ['max_connections', '1e2', 100],
    ['some_extension.size', '7', 7],
  ])('reads %s = %s', (name, value, expected) => {
    expect(parseSettingInteger(name, value)).toBe(expected)
  })

  it.each([
    ['max_connections', '100MB', 'max_connections takes a whole number without a unit.'],
    ['wal_keep_size', '5min', 'wal_keep_size takes a number, alone (of MB) or with a unit.'],
    ['checkpoint_timeout', '5MB', 'checkpoint_timeout takes a number, alone (of s) or with a unit.'],
    ['port', '', 'port takes a whole number without a unit.'],
  ])('refuses %s = %j', (name, value, hint) => {
    expect(() => parseSettingInteger(name, value)).toThrow(
      expect.objectContaining({ code: 'bad-value', message: `${name} is ${JSON.stringify(value)}`, hint }),
    )
  })
})
