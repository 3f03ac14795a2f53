import { settingsOf } from '@maestra/client/postgres/conf'
import { settingFacts } from '@maestra/client/postgres/settings'
import type { RunningServer, ServerObservation } from '../cluster/observation.js'
import { isSameValue } from './is-same-value.js'
import { overridingSettings } from './overriding-settings.js'
import type { SettingChange } from './setting-changes.js'

/** Whether only a restart changes a setting: as the server says, else as far as Maestra knows the setting. */
export function takesRestart(server: ServerObservation, name: string): boolean {
  if (server.kind === 'up') return Object.hasOwn(server.startedWith, name)
  return settingFacts(name)?.context === 'postmaster'
}

/**
 * Whether a running server has to be restarted before it works with what its file is to say of a setting, or does not say any
 * more. Not where it runs with that: then somebody changed the file, and the server never took it.
 */
export function needsRestart({ startedWith }: RunningServer, name: string, wanted: string | undefined): boolean {
  const started = startedWith[name]
  if (started === undefined) return false
  return wanted === undefined ? started.ofMaestra : !isSameValue(name, started.value, wanted)
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
  const wanted = settingsOf(wantedText)
  const overridden = overriddenNames(server, wantedText)
  const waiting = server.pendingRestart.filter(
    (name) =>
      (Object.hasOwn(wanted, name) || isOfMaestra(server, name)) &&
      !overridden.includes(name) &&
      // The server says it of the file as it is, not as it will be.
      !changes.some((change) => change.name === name),
  )
  return [
    ...changes.filter(({ name }) => needsRestart(server, name, wanted[name])).map((change) => change.text),
    ...waiting.map((name) =>
      Object.hasOwn(wanted, name)
        ? `${name} is written, and it runs with an older value`
        : `${name} is not set any more, and it runs with the value of before`,
    ),
  ]
}

/**
 * Settings that somebody else changed and that the next restart brings in, whoever asks for it. `told`: what Maestra's file says
 * by now; what it is not to say is taken out before.
 */
export function broughtInByRestart(
  server: RunningServer,
  wantedText: string,
  told: Readonly<Record<string, string>>,
): readonly string[] {
  const ours = { ...told, ...settingsOf(wantedText) }
  const overridden = overriddenNames(server, wantedText)
  return server.pendingRestart.filter(
    (name) => overridden.includes(name) || (!Object.hasOwn(ours, name) && !isOfMaestra(server, name)),
  )
}

/** Whether the value that a server runs with comes from Maestra's settings file. */
export function isOfMaestra({ startedWith }: RunningServer, name: string): boolean {
  return startedWith[name]?.ofMaestra === true
}

/** What waits for a restart by these names is not what Maestra's file says. */
function overriddenNames({ settingsAbove }: RunningServer, wantedText: string): readonly string[] {
  return overridingSettings(settingsAbove, wantedText).map(({ setting }) => setting.name)
}
