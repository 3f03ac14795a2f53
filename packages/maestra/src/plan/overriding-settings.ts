import { settingsOf } from '@maestra/client/postgres/conf'
import { isSameSetting } from '@maestra/client/postgres/same-setting'
import { parseBoolean, parseBytes, parseMilliseconds } from '@maestra/client/postgres/setting-value'
import { parseSettingInteger, settingFacts } from '@maestra/client/postgres/settings'
import type { FileSetting } from '../cluster/observation.js'

export type OverridingSetting = {
  readonly setting: FileSetting
  /** What Maestra's file says of it, where it does. */
  readonly wanted: string | undefined
}

/** Of the settings that are read after Maestra's file those that count, and say something else than that. */
export function overridingSettings(above: readonly FileSetting[], wantedText: string): readonly OverridingSetting[] {
  if (above.length === 0) return []
  const declared = new Map(Object.entries(settingsOf(wantedText)))
  // Of several lines the last one counts.
  const winning = new Map(above.map((setting) => [setting.name, setting]))
  return [...winning.values()].flatMap((setting) => {
    const wanted = declared.get(setting.name)
    return wanted !== undefined && isSameValue(setting, wanted) ? [] : [{ setting, wanted }]
  })
}

/** Whether two texts certainly mean the same to PostgreSQL: 16MB and 16384kB do. */
function isSameValue({ name, value }: FileSetting, wanted: string): boolean {
  if (isSameSetting(name, value, wanted)) return true
  const hasUnit = settingFacts(name)?.unit !== undefined
  // Without a known unit nothing may be rounded: the setting can be a fraction.
  const amounts = hasUnit ? [(text: string) => parseSettingInteger(name, text)] : [parseBytes, parseMilliseconds]
  const readings: readonly ((text: string) => number | boolean)[] = [...amounts, parseBoolean]
  return readings.some((read) => {
    try {
      return read(value) === read(wanted)
    } catch {
      return false
    }
  })
}
