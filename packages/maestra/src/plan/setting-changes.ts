import { settingLines, settingsOf } from '@maestra/client/postgres/conf'
import { isSameSetting } from '@maestra/client/postgres/same-setting'
import { shownValue } from './without-secrets.js'

export type SettingChange = {
  readonly name: string
  /** The line of the observed file that says the older value, and both values as they may be shown. */
  readonly line?: number
  readonly from?: string
  readonly to?: string
  /** `work_mem 4MB -> 16MB` */
  readonly text: string
}

/** What the declared settings file would change in the one that is there; comments and order are no difference. */
export function settingChanges(declaredText: string, observedText: string): readonly SettingChange[] {
  if (declaredText === observedText) return []
  const declared = settingsOf(declaredText)
  const told = settingLines(observedText)
  const observed = Object.fromEntries(told.map(({ name, value }) => [name, value]))
  const lines = new Map(told.map(({ name, line }) => [name, line]))
  const names = [...new Set([...Object.keys(declared), ...Object.keys(observed)])]
  return names
    .filter((name) => !isSameSetting(name, declared[name], observed[name]))
    .map((name) => {
      const line = lines.get(name)
      const from = shown(name, observed[name])
      const to = shown(name, declared[name])
      return {
        name,
        ...(line === undefined ? {} : { line }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
        text: `${name} ${from ?? '(not set)'} -> ${to ?? '(not set)'}`,
      }
    })
}

function shown(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : shownValue(name, value)
}
