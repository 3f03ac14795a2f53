import { settingsOf } from '@maestra/client/postgres/conf'
import type { FileSetting } from '../cluster/observation.js'
import { isSameValue } from './is-same-value.js'

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
    return wanted !== undefined && isSameValue(setting.name, setting.value, wanted) ? [] : [{ setting, wanted }]
  })
}
