import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { liveSandbox } from './live-sandbox.js'
import type { Sandbox } from './sandbox.js'
import { readSandboxCluster } from './sandbox-cluster.js'
import { type RecordedSandbox, recordedSandboxes } from './sandbox-record.js'
import { type SandboxServer, sandboxServers } from './sandbox-servers.js'
import { sandboxSite } from './sandbox-site.js'
import { sweep, takeDown } from './take-down.js'

/** A sandbox that another process may own. */
export type ListedSandbox = {
  readonly name: string
  readonly directory: string
  /** Null for one that has no owner. */
  readonly ownerPid: number | null
  /** ISO 8601. */
  readonly createdAt: string
  readonly nodes: readonly SandboxServer[]
}

/** The sandboxes that are up; what killed owners left is taken down first, and named to `onProblem` where it cannot be. */
export async function listSandboxes(onProblem?: (problem: string) => void): Promise<readonly ListedSandbox[]> {
  const host = new LocalHost({ sync: false })
  await sweep(host, onProblem)
  return await Promise.all((await recordedSandboxes(host)).map((sandbox) => describe(host, sandbox)))
}

/** The sandbox of that name, with all that can be done to it; without a name, the only one that is up. */
export async function openSandbox(name: string | undefined): Promise<Sandbox> {
  const host = new LocalHost({ sync: false })
  await sweep(host)
  return await liveSandbox(sandboxSite(host), chosen(await recordedSandboxes(host), name, '--name '))
}

/** Takes down a sandbox of any owner; its name. */
export async function downSandbox(name: string | undefined): Promise<string> {
  const host = new LocalHost({ sync: false })
  await sweep(host)
  const sandbox = chosen(await recordedSandboxes(host), name, 'maestra sandbox down ')
  await takeDown(host, sandbox)
  return sandbox.record.name
}

/** Whether nobody has taken the sandbox down. */
export async function isUp(sandbox: { readonly directory: string }): Promise<boolean> {
  return (await new LocalHost().files.stat(sandbox.directory)) !== undefined
}

async function describe(host: Host, { record }: RecordedSandbox): Promise<ListedSandbox> {
  return {
    name: record.name,
    directory: record.directory,
    ownerPid: record.owner?.pid ?? null,
    createdAt: record.createdAt,
    nodes: await serversOf(host, record.directory),
  }
}

/** None while it is being brought up or taken down. */
async function serversOf(host: Host, directory: string): Promise<readonly SandboxServer[]> {
  try {
    return await sandboxServers(host, await readSandboxCluster(host, directory))
  } catch (error) {
    if (error instanceof MaestraError && error.code === 'cluster-file-missing') return []
    throw error
  }
}

function chosen(sandboxes: readonly RecordedSandbox[], name: string | undefined, naming: string): RecordedSandbox {
  const names = sandboxes.map((sandbox) => sandbox.record.name)
  if (name === undefined && sandboxes.length > 1) {
    throw new MaestraError('sandbox-ambiguous', `several sandboxes are up: ${names.join(', ')}`, {
      hint: `name one: ${naming}${names[0]}`,
    })
  }
  const found = name === undefined ? sandboxes[0] : sandboxes.find((sandbox) => sandbox.record.name === name)
  if (found !== undefined) return found
  const what = name === undefined ? 'no sandbox is up' : `there is no sandbox named ${name}`
  throw new MaestraError('sandbox-unknown', names.length === 0 ? what : `${what}; up are ${names.join(', ')}`, {
    hint: names.length === 0 ? 'start one: maestra sandbox up' : 'maestra sandbox list',
  })
}
