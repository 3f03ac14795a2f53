import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { unmountBelow } from './mounts.js'
import { isRunning, startTimeOf } from './processes.js'
import { endServersBelow } from './servers.js'

/** One file for each workspace that a test has open: whatever servers it starts have their data below it. */
const folder = join(tmpdir(), `maestra-tests-${process.getuid?.() ?? 'user'}`)

type Entry = { readonly directory: string; readonly pid: number; readonly startedAt: string | undefined }

/** Every workspace is named like this, and nothing else is ever removed. */
export const workspacePrefix = 'maestra-test-'

/** Writes a workspace down before anything is started in it. */
export function writeDown(directory: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const entry: Entry = { directory, pid: process.pid, startedAt: startTimeOf(process.pid) }
  writeFileSync(pathOf(directory), JSON.stringify(entry))
}

/** Ends the servers of a workspace, removes it and strikes it out. */
export async function clearAway(directory: string): Promise<void> {
  if (basename(directory).startsWith(workspacePrefix)) {
    await endServersBelow(directory)
    unmountBelow(directory)
    rmSync(directory, { recursive: true, force: true })
  }
  rmSync(pathOf(directory), { force: true })
}

/** Clears away what a killed run left. */
export async function settle(): Promise<void> {
  for (const name of namesIn(folder)) {
    const entry = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Entry
    const lives = isRunning(entry.pid) && startTimeOf(entry.pid) === entry.startedAt
    if (!lives) await clearAway(entry.directory)
  }
}

/** None where the folder is missing, or another account's. */
function namesIn(directory: string): readonly string[] {
  try {
    return statSync(directory).uid === process.getuid?.() ? readdirSync(directory) : []
  } catch {
    return []
  }
}

function pathOf(directory: string): string {
  return join(folder, `${basename(directory)}.json`)
}
