import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import { maestra } from '../harness/maestra.js'
import { processesBelow, programsNaming } from '../harness/processes.js'
import type { Workspace } from '../harness/workspace.js'

/** When the owner of a sandbox is to end: at a moment that sandbox-until.js knows, or so many ms after it. */
export type OwnersEnd = { readonly at: string; readonly laterMs?: number; readonly by?: 'SIGKILL' | 'process.exit' }

const script = fileURLToPath(new URL('sandbox-until.js', import.meta.url))

/** What the end of the owner at one of them may leave, it leaves at no other: the moments of a start and a stop. */
export async function momentsOf(workspace: Workspace, replicas: number): Promise<readonly string[]> {
  const run = await maestra(workspace, [JSON.stringify({ replicas })], { script })
  if (run.code !== 0) throw new Error(run.stderr)
  const all = JSON.parse(run.stdout) as readonly string[]
  return all
    .filter(
      (at, index) =>
        !at.startsWith('after ') || /^after (open|spawn|copyFile|rename)/.test(at) || index === all.length - 1,
    )
    .filter((at, _, every) => !isOneOfMany(every, at))
}

/** Of the files of a directory the first, one in the middle and one near the end stand for all. */
function isOneOfMany(moments: readonly string[], at: string): boolean {
  const [effect = at, number = '1'] = at.split(/ \((\d+)\)$/)
  const count = moments.filter((other) => other.startsWith(effect)).length
  return count > 6 && ![1, Math.floor(count / 2), Math.floor(count * 0.9)].includes(Number(number))
}

/** What the owner of a sandbox left that has ended: of a keeper nothing, without any command; else nothing after the next command. */
export async function endOwner(workspace: Workspace, replicas: number, kill: OwnersEnd): Promise<void> {
  const run = await maestra(workspace, [JSON.stringify({ replicas, kill })], { script })
  if (run.code !== (kill.by === 'process.exit' ? 7 : 137))
    throw new Error(`the owner ended with ${run.code}: ${run.stderr}`)
  if (keeperOf(workspace) === undefined) await listsNone(workspace)
  await untilNothingIsLeft(workspace)
  await listsNone(workspace)
}

/** The process of the only keeper that there is. */
export function keeperOf(workspace: Workspace): number | undefined {
  return programsNaming(workspace.cache).find(({ words }) => words.includes('keeper-main'))?.pid
}

async function listsNone(workspace: Workspace): Promise<void> {
  const { code, stdout, stderr } = await maestra(workspace, ['sandbox', 'list'])
  if (code !== 0 || stdout !== 'no sandbox is up\n' || stderr !== '')
    throw new Error(`sandbox list: ${code} ${stdout} ${stderr}`)
}

/** Of any sandbox of the workspace: no process, no directory but the cache's own, no record, no claimed port. */
export async function untilNothingIsLeft(workspace: Workspace): Promise<void> {
  await waitUntil(
    () => {
      const left = leftOf(workspace)
      return left.length === 0 ? { done: true, value: undefined } : { done: false, seen: left.join(', ') }
    },
    { awaited: 'nothing of a sandbox to be left', deadline: Deadline.after(20_000) },
  )
}

function leftOf({ cache }: Workspace): readonly string[] {
  const known = ['binaries', 'ports', 'sandboxes', 'templates']
  return [
    ...namesIn(cache).filter((name) => !known.includes(name)),
    ...['ports', 'sandboxes'].flatMap((folder) => namesIn(join(cache, folder)).map((name) => `${folder}/${name}`)),
    ...['binaries', 'templates'].flatMap((folder) =>
      namesIn(join(cache, folder)).filter((name) => name.includes('.building-')),
    ),
    ...processesBelow(cache).map((pid) => `process ${pid}`),
    ...programsNaming(cache).map(({ pid, words }) => `process ${pid} ${words}`),
  ]
}

function namesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
