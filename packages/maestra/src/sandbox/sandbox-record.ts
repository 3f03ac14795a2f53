import { randomBytes } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Host } from '../host/host.js'
import { isAlive, type ProcessOwner, thisProcess } from '../host/process-owner.js'
import { cacheDirectory } from './cache/cache-directory.js'
import { makeSpreadFolder } from './cache/spread-folder.js'
import type { PortClaim } from './ports.js'

/**
 * What is written down about a sandbox before anything of it exists, so that a killed owner leaves nothing that
 * cannot be found.
 */
export type SandboxRecord = {
  readonly name: string
  /** Never used by another sandbox, also not by a later one of the same name. */
  readonly directory: string
  /** The process that takes it down when it ends; null for one that lives until somebody takes it down. */
  readonly owner: ProcessOwner | null
  /** ISO 8601. */
  readonly createdAt: string
  /** The ports of its servers, of their links and of its keeper. */
  readonly ports: readonly number[]
  /** By this word its claims on ports are told from later ones. */
  readonly claim: string
  /** Where its keeper takes requests, and the word without which it takes none. */
  readonly keeper: { readonly port: number; readonly token: string }
}

/** The record and the file that holds it. */
export type RecordedSandbox = { readonly path: string; readonly text: string; readonly record: SandboxRecord }

const extension = '.json'

/** The end of the name of a directory, behind that of its sandbox: never the same again. */
const directoryPattern = /^-[0-9a-f]{8}$/

/** The rule for the names of clusters, since a sandbox is one and gives its name to files. */
const namePattern = /^[a-z][a-z0-9_-]{0,62}$/

/** Throws bad-value for a name that a sandbox cannot have. */
export function checkedName(name: string | undefined): string | undefined {
  if (name === undefined || namePattern.test(name)) return name
  throw new MaestraError('bad-value', `${JSON.stringify(name)} cannot be the name of a sandbox`, {
    hint: 'a name is a lower-case letter and up to 62 more letters, digits, - or _',
  })
}

/** Claims a name: the one that is asked for, or the first free of `sandbox`, `sandbox-2`, ... */
export async function recordSandbox(
  host: Host,
  options: { readonly name: string | undefined; readonly claim: PortClaim; readonly keeperPort: number },
): Promise<RecordedSandbox> {
  const folder = await recordsFolder(host)
  for (let attempt = 1; ; attempt += 1) {
    const name = options.name ?? (attempt === 1 ? 'sandbox' : `sandbox-${attempt}`)
    const claimed = await claim(host, folder, name, options)
    if (claimed !== undefined) return claimed
    if (options.name !== undefined) throw await existsError(host, folder, name)
  }
}

async function existsError(host: Host, folder: string, name: string): Promise<MaestraError> {
  const path = join(folder, name + extension)
  const found = await readRecord(host, path)
  if (found === undefined && (await host.files.stat(path)) !== undefined) {
    return new MaestraError('sandbox-exists', `the name ${name} is taken by ${path}, which is no record of a sandbox`, {
      hint: `choose another name, or look at it and remove it: rm ${path}`,
    })
  }
  return new MaestraError('sandbox-exists', `a sandbox named ${name} is up already`, {
    hint: `choose another name, or take it down: maestra sandbox down ${name}`,
  })
}

async function claim(
  host: Host,
  folder: string,
  name: string,
  { claim: { ports, id }, keeperPort }: { readonly claim: PortClaim; readonly keeperPort: number },
): Promise<RecordedSandbox | undefined> {
  const record: SandboxRecord = {
    name,
    directory: join(folder, `${name}-${randomBytes(4).toString('hex')}`),
    owner: await thisProcess(host),
    createdAt: new Date().toISOString(),
    ports,
    claim: id,
    keeper: { port: keeperPort, token: randomBytes(18).toString('base64url') },
  }
  const path = join(folder, name + extension)
  const text = `${JSON.stringify(record)}\n`
  return (await host.files.create(path, text, { mode: 0o600 })) ? { path, text, record } : undefined
}

/** All sandboxes of this account, in the order of their names. */
export async function recordedSandboxes(host: Host): Promise<readonly RecordedSandbox[]> {
  const folder = await recordsFolder(host)
  const names = ((await host.files.list(folder)) ?? []).filter((name) => name.endsWith(extension))
  const found = await Promise.all(names.map((name) => readRecord(host, join(folder, name))))
  return found.filter((each) => each !== undefined)
}

/** A record that cannot be read names nothing that could be taken down; it is passed over. */
export async function readRecord(host: Host, path: string): Promise<RecordedSandbox | undefined> {
  const text = await host.files.readText(path)
  const record = text === undefined ? undefined : recordIn(text, path)
  return text === undefined || record === undefined ? undefined : { path, text, record }
}

/** What it names is taken down, so it names nothing but what a sandbox of its name has. */
function recordIn(text: string, path: string): SandboxRecord | undefined {
  try {
    const read = JSON.parse(text) as Partial<SandboxRecord> | null
    const { name, directory, createdAt, claim: id, keeper } = read ?? {}
    const isWhole =
      [name, directory, createdAt, id, keeper?.token].every((each) => typeof each === 'string') &&
      (read?.owner === null || Number.isInteger(read?.owner?.pid)) &&
      Array.isArray(read?.ports) &&
      [...read.ports, keeper?.port].every(Number.isInteger)
    const isOwn =
      basename(path) === `${name}${extension}` &&
      dirname(directory ?? '') === dirname(path) &&
      directoryPattern.test(basename(directory ?? '').slice(name?.length))
    return isWhole && isOwn ? (read as SandboxRecord) : undefined
  } catch {
    return undefined
  }
}

/**
 * Has this process be the owner of a sandbox that it takes down: killed meanwhile, it leaves that to the next one, and who
 * owned it can tell. One whose owner has ended is anybody's to take down.
 */
export async function takeOver(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const owner = await thisProcess(host)
  if (isSame(owner, sandbox.record.owner) || !(await ownerLives(host, sandbox))) return
  if (await isTakenDown(host, sandbox)) return
  const text = `${JSON.stringify({ ...sandbox.record, owner } satisfies SandboxRecord)}\n`
  await host.files.write(sandbox.path, text, { mode: 0o600 })
}

/** Whether another process takes it down, or has done so. */
export async function isTakenDown(host: Host, { path, record }: RecordedSandbox): Promise<boolean> {
  const now = (await readRecord(host, path))?.record
  return now?.directory !== record.directory || (now.owner !== null && !isSame(now.owner, record.owner))
}

function isSame(one: ProcessOwner, other: ProcessOwner | null): boolean {
  return one.pid === other?.pid && one.startedAt === other.startedAt
}

/** Has the sandbox live on without an owner. */
export async function disownSandbox(host: Host, { path, record }: RecordedSandbox): Promise<RecordedSandbox> {
  const given: SandboxRecord = { ...record, owner: null }
  const text = `${JSON.stringify(given)}\n`
  await host.files.write(path, text, { mode: 0o600 })
  return { path, text, record: given }
}

/** Forgets a sandbox, unless another one has its name by now. */
export async function forgetSandbox(host: Host, sandbox: RecordedSandbox): Promise<void> {
  const now = await readRecord(host, sandbox.path)
  if (now?.record.directory !== sandbox.record.directory) return
  // Where its owner was killed while it gave it away.
  await host.files.removeFile(`${sandbox.path}.maestra-new`)
  await host.files.removeFile(sandbox.path)
}

/** Whether it may stay: its owner lives, or it has none. */
export async function ownerLives(host: Host, { record }: RecordedSandbox): Promise<boolean> {
  return record.owner === null || (await isAlive(host, record.owner))
}

async function recordsFolder(host: Host): Promise<string> {
  const folder = join(await cacheDirectory(host), 'sandboxes')
  await makeSpreadFolder(host, folder)
  return folder
}
