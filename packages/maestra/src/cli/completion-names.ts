import { readFile } from 'node:fs/promises'
import { loadCluster } from '../cluster/load-cluster.js'
import { LocalHost } from '../host/local/local-host.js'
import { readSandboxCluster } from '../sandbox/sandbox-cluster.js'
import { recordedSandboxes } from '../sandbox/sandbox-record.js'
import { clusterFilePath } from './cluster-file.js'
import type { NamesOf } from './command-tree.js'

/** Names for the word that is being typed, by what the line has said already. Looks, and takes nothing down. */
export async function completionNames(of: NamesOf, words: readonly string[]): Promise<readonly string[]> {
  switch (of) {
    case 'replicas':
      return await replicaNames(clusterFilePath(valueIn(words, ['-f', '--file'])))
    case 'sandboxes':
      return (await recordedSandboxes(new LocalHost())).map(({ record }) => record.name)
    case 'sandbox-nodes':
      return await sandboxNodeNames(valueIn(words, ['--name']))
  }
}

async function replicaNames(file: string): Promise<readonly string[]> {
  const { cluster } = loadCluster(await readFile(file, 'utf8'), file)
  return (cluster?.nodes ?? []).filter((node) => node.startsAs === 'standby').map((node) => node.name)
}

/** Of the sandbox that the line names; else of all, each name once. */
async function sandboxNodeNames(name: string | undefined): Promise<readonly string[]> {
  const host = new LocalHost()
  const all = await recordedSandboxes(host)
  const wanted = all.filter(({ record }) => name === undefined || record.name === name)
  const clusters = await Promise.allSettled(wanted.map(({ record }) => readSandboxCluster(host, record.directory)))
  const names = clusters.flatMap((each) =>
    each.status === 'fulfilled' ? each.value.nodes.map((node) => node.name) : [],
  )
  return [...new Set(names)]
}

/** The value of an option in words of a line: `--file x`, `--file=x`, or in three words as bash has it. */
function valueIn(words: readonly string[], flags: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    const [flag, value] = word.split(/=(.*)/s)
    if (!flags.includes(flag ?? '')) continue
    const next = words[index + 1]
    const found = value ?? (next === '=' ? words[index + 2] : next)
    if (found !== undefined && found !== '') return found
  }
  return undefined
}
