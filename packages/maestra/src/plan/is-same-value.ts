import { isSameSetting } from '@maestra/client/postgres/same-setting'
import { parseBoolean, parseBytes, parseMilliseconds } from '@maestra/client/postgres/setting-value'
import { parseSettingInteger, settingFacts } from '@maestra/client/postgres/settings'

/** Whether two texts of a setting certainly mean the same to PostgreSQL: 16MB and 16384kB do. */
export function isSameValue(name: string, one: string, other: string): boolean {
  if (isSameSetting(name, one, other)) return true
  const hasUnit = settingFacts(name)?.unit !== undefined
  // Without a known unit nothing may be rounded: the setting can be a fraction.
  const amounts = hasUnit ? [(text: string) => parseSettingInteger(name, text)] : [parseBytes, parseMilliseconds]
  const readings: readonly ((text: string) => number | boolean)[] = [...amounts, parseBoolean]
  return readings.some((read) => {
    try {
      return read(one) === read(other)
    } catch {
      return false
    }
  })
}
