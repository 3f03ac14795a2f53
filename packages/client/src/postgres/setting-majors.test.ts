import { describe, expect, it } from 'vitest'
import { settingMajors } from './setting-majors.js'
import { settingFacts } from './settings.js'

describe('settingMajors', () => {
  it('knows what came and what went', () => {
    expect(settingMajors('io_method')).toEqual({ since: 18 })
    expect(settingMajors('promote_trigger_file')).toEqual({ until: 15 })
    expect(settingMajors('WAL_keep_segments')).toEqual({ until: 13, successor: 'wal_keep_size' })
  })

  it('says nothing of what every major has, nor of what it does not know', () => {
    for (const name of ['work_mem', 'pg_stat_statements.max', 'constructor', ''])
      expect(settingMajors(name)).toEqual({})
  })

  it.each(['idle_replication_slot_timeout', 'promote_trigger_file', 'scram_iterations', 'summarize_wal', 'wal_level'])(
    'says the same of %s as settingFacts',
    (name) => {
      const { since, until } = settingMajors(name)
      expect({ since, until }).toEqual({ since: settingFacts(name)?.since, until: settingFacts(name)?.until })
    },
  )
})
