import { settingsOf } from '@maestra/client/postgres/conf'
import type { DataDirectory } from './observation.js'
import { onceForEach } from './once-for-each.js'

/** What Maestra's settings file of a data directory tells; a plan asks many times. */
export function toldSettings({ configuration }: DataDirectory): Readonly<Record<string, string>> {
  return settingsIn(configuration)
}

const settingsIn = onceForEach(({ settings }: DataDirectory['configuration']) => settingsOf(settings ?? ''))
