import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Deadline, waitUntil } from '@maestra/client/base/deadline'
import type { Namespaces } from './namespaces.js'

const script = fileURLToPath(new URL('ask-server.js', import.meta.url))

export type Question = { readonly url: string; readonly text: string; readonly replication?: boolean }

export type Answer =
  | { readonly rows: readonly Record<string, unknown>[] }
  | { readonly code?: string; readonly message: string }

/** Asks a server from one of the machines. */
export async function ask(namespaces: Namespaces, host: number, question: Question): Promise<Answer> {
  const [program, args] = namespaces.command(host, process.execPath, script, JSON.stringify(question))
  return JSON.parse((await promisify(execFile)(program, args)).stdout) as Answer
}

/** Asks until the rows are there: for what has still to be replayed. */
export async function askUntil(
  namespaces: Namespaces,
  host: number,
  question: Question,
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  const wanted = JSON.stringify({ rows })
  await waitUntil(
    async () => {
      const seen = JSON.stringify(await ask(namespaces, host, question))
      return seen === wanted ? { done: true, value: undefined } : { done: false, seen }
    },
    { awaited: `${question.text} to give ${wanted}`, deadline: Deadline.after(30_000) },
  )
}
