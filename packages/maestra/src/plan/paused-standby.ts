import { settingsOf } from '@maestra/client/postgres/conf'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import type { DataDirectory, RunningServer } from '../cluster/observation.js'
import type { ClusterView, NodeView } from './cluster-view.js'
import { type Draft, refused } from './draft.js'
import { minimumsHeld } from './held-settings.js'
import { psqlCommand } from './psql-command.js'

/** Whether the replay of a standby is paused and stays so: waiting for it would only run into the deadline. */
export function staysPaused(view: ClusterView, standby: NodeView): boolean {
  const { server, directory } = standby.observed
  if (server.kind !== 'up' || !server.replayPaused) return false
  return directory.kind !== 'data' || !getsRoom(view, standby, { server, directory })
}

/**
 * PostgreSQL pauses replay where a setting is smaller than what the WAL was written with, and its pg_control tells that by
 * then. A restart with more goes on, and it is planned where Maestra's file gets more.
 */
function getsRoom(
  view: ClusterView,
  standby: NodeView,
  { server, directory }: { readonly server: RunningServer; readonly directory: DataDirectory },
): boolean {
  const { settings } = nodeConfiguration(view.cluster, standby.declared, minimumsHeld(view, standby))
  const wanted = settingsOf(settings)
  const short = Object.entries(directory.control.standbyMinimums).filter(
    ([name, needed]) => Number(server.startedWith[name]?.value) < needed,
  )
  const isGiven = (name: string, needed: number) =>
    Number(wanted[name]) >= needed && !server.settingsAbove.some((setting) => setting.name === name)
  return short.length > 0 && short.every(([name, needed]) => isGiven(name, needed))
}

export function refusePaused({ declared }: NodeView): Draft {
  return refused(
    declared.name,
    'its replay is paused, so it cannot catch up',
    `look into its log first: where it says "insufficient parameter settings", give it the values of its primary; else go on: ${psqlCommand(declared, 'select pg_wal_replay_resume()')}`,
  )
}
