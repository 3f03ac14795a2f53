import { settingsOf } from '@maestra/client/postgres/conf'
import { settingFacts } from '@maestra/client/postgres/settings'
import type { RunningServer, ServerObservation } from '../cluster/observation.js'
import { overridingSettings } from './overriding-settings.js'
import type { SettingChange } from './setting-changes.js'

/** Whether only a restart changes a setting: as the server says, else as far as Maestra knows the setting. */
export function takesRestart(server: ServerObservation, name: string): boolean {
  if (server.kind === 'up') return server.settingsThatNeedRestart.includes(name)
  return settingFacts(name)?.context === 'postmaster'
}

/**
 * Why a server has to be restarted to work with these settings: what is changed in its file, and what the file tells already.
 * Settings that somebody else changed are no reason.
 */
export function restartReasons(
  server: RunningServer,
  wantedText: string,
  changes: readonly SettingChange[],
): readonly string[] {
  const wanted = Object.keys(settingsOf(wantedText))
  const overridden = overriddenNames(server, wantedText)
  const changed = changes.filter((change) => takesRestart(server, change.name))
  const waiting = server.pendingRestart.filter(
    (name) =>
      (wanted.includes(name) || server.pendingOfMaestra.includes(name)) &&
      !overridden.includes(name) &&
      !changed.some((change) => change.name === name),
  )
  return [
    ...changed.map((change) => change.text),
    ...waiting.map((name) =>
      wanted.includes(name)
        ? `${name} is written, and it runs with an older value`
        : `${name} is not set any more, and it runs with the value of before`,
    ),
  ]
}

/** Settings that somebody else changed and that the next restart brings in, whoever asks for it. */
export function broughtInByRestart(server: RunningServer, wantedText: string): readonly string[] {
  const wanted = Object.keys(settingsOf(wantedText))
  const overridden = overriddenNames(server, wantedText)
  return server.pendingRestart.filter(
    (name) => overridden.includes(name) || (!wanted.includes(name) && !server.pendingOfMaestra.includes(name)),
  )
}

/** What waits for a restart by these names is not what Maestra's file says. */
function overriddenNames({ settingsAbove }: RunningServer, wantedText: string): readonly string[] {
  return overridingSettings(settingsAbove, wantedText).map(({ setting }) => setting.name)
}
