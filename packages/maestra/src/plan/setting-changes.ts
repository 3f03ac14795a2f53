import { settingsOf } from '@maestra/client/postgres/conf'

export type SettingChange = {
  readonly name: string
  /** `work_mem 4MB -> 16MB` */
  readonly text: string
}

/** What the declared settings file would change in the one that is there; comments and order are no difference. */
export function settingChanges(declaredText: string, observedText: string): readonly SettingChange[] {
  const declared = settingsOf(declaredText)
  const observed = settingsOf(observedText)
  const names = [...new Set([...Object.keys(declared), ...Object.keys(observed)])]
  return names
    .filter((name) => declared[name] !== observed[name])
    .map((name) => ({ name, text: `${name} ${shown(observed[name])} -> ${shown(declared[name])}` }))
}

/** Somebody may have written a password into a connection string. */
function shown(value: string | undefined): string {
  if (value === undefined) return '(not set)'
  if (value === '') return "''"
  return value
    .replace(/(password\s*=\s*)('(?:[^'\\]|\\.)*'|(?:\\.|[^\s'\\])+)/gi, '$1***')
    .replace(/(:\/\/[^:@/\s]*:)[^@\s]*@/g, '$1***@')
}
