import { MaestraError } from '@maestra/client/base/error'
import { settingsOf } from '@maestra/client/postgres/conf'
import { type DeclaredNode, upstreamOf } from '../cluster/declared-cluster.js'
import { nodeConfiguration } from '../cluster/node-configuration.js'
import type { Step } from '../plan/step.js'
import { serverAccount } from '../server/account.js'
import { type Trial, tryInDirectory, tryWithoutDirectory } from '../server/configuration-trial.js'
import { readNodeFiles } from '../server/node-files.js'
import type { StepContext } from './step-runner.js'

/**
 * Has PostgreSQL say what it thinks of every configuration that the steps are going to write, before the first of them does
 * anything. Throws setting-rejected with its words.
 */
export async function tryConfigurations(steps: readonly Step[], context: StepContext): Promise<void> {
  if (!context.triesSettings) return
  const names = steps.flatMap((step) => (writesSettings(step) ? [step.node] : []))
  const byDirectory = new Map<string, DeclaredNode[]>()
  for (const name of new Set(names)) {
    const node = context.node(name)
    const directory = (await whereTried(context, node)) ?? node.data
    byDirectory.set(directory, [...(byDirectory.get(directory) ?? []), node])
  }
  // One after the other in each: PostgreSQL takes the postmaster.pid of a stopped server for that long, and then finds another.
  await Promise.all(
    [...byDirectory.values()].map(async (nodes) => {
      for (const node of nodes) await tryDeclared(context, node)
    }),
  )
}

function writesSettings(step: Step) {
  return step.kind === 'write-configuration' || step.kind === 'initialise' || step.kind === 'copy-primary'
}

async function tryDeclared(context: StepContext, node: DeclaredNode): Promise<void> {
  const { host } = context.site
  const { settings } = nodeConfiguration(context.cluster, node)
  const directory = await whereTried(context, node)
  if (directory === undefined) {
    const trial = await trialOf(context, node, settings, node.data)
    return refuse(context, trial, await tryWithoutDirectory(host, node.data, trial))
  }
  if (directory === node.data) {
    const found = await readNodeFiles(host, directory)
    if (found.included && found.settings === settings) return
  }
  await trySettings(context, node, settings, directory)
}

/** The files of a copy are those of the server that is copied. Where there is none yet, its own values are all there is to try. */
async function whereTried(context: StepContext, node: DeclaredNode): Promise<string | undefined> {
  if (await hasData(context, node)) return node.data
  const upstream = upstreamOf(context.cluster, node)
  return upstream !== undefined && (await hasData(context, upstream)) ? upstream.data : undefined
}

/** Throws setting-rejected when PostgreSQL does not take a directory's files with these settings of the node. */
export async function trySettings(
  context: StepContext,
  node: DeclaredNode,
  settings: string,
  directory: string,
): Promise<void> {
  if (!context.triesSettings) return
  const trial = await trialOf(context, node, settings, directory)
  refuse(context, trial, await tryInDirectory(context.site.host, directory, trial))
}

async function trialOf(context: StepContext, node: DeclaredNode, settings: string, directory: string): Promise<Trial> {
  const { site, signal } = context
  const [account, binaries] = await Promise.all([
    serverAccount(site.host, directory, context.cluster),
    context.binaries(),
  ])
  return { node: node.name, account, binaries, settings, signal }
}

function refuse({ cluster }: StepContext, { node, settings }: Trial, objection: string | undefined): void {
  if (objection === undefined) return
  const named = /"(\w+(?:\.\w+)?)"/.exec(objection)?.[1]?.toLowerCase()
  const isDeclared = named !== undefined && settingsOf(settings)[named] !== undefined
  const place = isDeclared ? cluster.file : `${cluster.file}, or in the configuration files of ${node}`
  throw new MaestraError('setting-rejected', `${node} would not start with these settings: ${objection}`, {
    hint: `correct it in ${place}; ${node} is as it was`,
  })
}

async function hasData(context: StepContext, node: DeclaredNode): Promise<boolean> {
  return (await context.site.host.files.stat(`${node.data}/PG_VERSION`)) !== undefined
}
