import { join } from 'node:path'
import { includeLine, settingLines } from '@maestra/client/postgres/conf'
import { autoConfFile, settingsFile } from '../cluster/node-configuration.js'
import type { FileSetting } from '../cluster/observation.js'
import type { Host } from '../host/host.js'

/**
 * A JSON array of the settings that a running server reads after Maestra's settings file, on the disk as it is now, whether
 * it has read them or not: lines below the include, files that are included there, what ALTER SYSTEM set.
 */
export const settingsAboveJson = `(select coalesce(json_agg(json_build_object('file', f.sourcefile, 'line', f.sourceline,
    'name', lower(f.name), 'value', f.setting) order by f.seqno), '[]')
  from pg_file_settings f where f.name is not null and f.setting is not null
    and f.sourcefile not like '%/${settingsFile}' and (f.sourcefile like '%/${autoConfFile}'
      or f.seqno > (select max(seqno) from pg_file_settings where sourcefile like '%/${settingsFile}')))`

/** The same from the files, while no server can be asked. Files that are included below Maestra's are not read. */
export async function readSettingsAbove(host: Host, directory: string, conf: string): Promise<readonly FileSetting[]> {
  const include = includeLine(conf, settingsFile) ?? Number.POSITIVE_INFINITY
  const auto = join(directory, autoConfFile)
  const inFile = (file: string) => (setting: Omit<FileSetting, 'file'>) => ({ file, ...setting })
  return [
    ...settingLines(conf)
      .filter(({ line }) => line > include)
      .map(inFile(join(directory, 'postgresql.conf'))),
    ...settingLines((await host.files.readText(auto)) ?? '').map(inFile(auto)),
  ]
}
