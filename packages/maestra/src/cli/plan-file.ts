import { resolve } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { DeclaredCluster } from '../cluster/declared-cluster.js'
import type { Host } from '../host/host.js'
import { LocalHost } from '../host/local/local-host.js'
import { changedSince } from '../plan/changed-since.js'
import { declarationHash } from '../plan/fingerprint.js'
import { outcomeOf, type Plan } from '../plan/plan.js'
import { isSavedPlan, readSavedPlan, type SavedPlan, savedPlanText } from '../plan/saved-plan.js'

/** How many bytes tell whether a file is a plan file. */
const headBytes = 200

/** A file that a plan is to be kept in: a new one, or one of Maestra's that holds an older plan. */
export class PlanFile {
  readonly #path: string
  readonly #files: Host['files']

  private constructor(path: string, files: Host['files']) {
    this.#path = path
    this.#files = files
  }

  /** Throws bad-usage where something else is. */
  static async at(path: string): Promise<PlanFile> {
    const file = new PlanFile(resolve(path), new LocalHost().files)
    await file.#refuseOther()
    return file
  }

  /**
   * Keeps the plan if it can be applied, whole or not at all, so that only its owner can read it; what there is to say of
   * it. A plan that is refused or incomplete is not kept, and the file stays as it is.
   */
  async keep(plan: Plan, cluster: DeclaredCluster): Promise<string> {
    const outcome = outcomeOf(plan)
    if (outcome === 'refused' || outcome === 'incomplete') {
      return `\nthe plan is ${outcome}, so nothing was written to ${this.#path}\n`
    }
    await this.#write(
      savedPlanText({
        createdAt: new Date().toISOString(),
        clusterFile: cluster.file,
        declares: declarationHash(cluster),
        plan,
      }),
    )
    return `\nkept in ${this.#path}; to do exactly this: maestra apply ${this.#path}\n`
  }

  async #write(text: string): Promise<void> {
    const options = { mode: 0o600 }
    await this.#refuseOther()
    const found = await this.#files.stat(this.#path)
    // One that others may read by now is made anew: an existing file keeps its mode.
    if (found?.kind === 'file' && found.mode % 0o100 !== 0) await this.#files.removeFile(this.#path)
    else if (found !== undefined) return await this.#files.write(this.#path, text, options)
    if (!(await this.#files.create(this.#path, text, options))) throw this.#inTheWay('was made in between')
  }

  async #refuseOther(): Promise<void> {
    const real = await this.#files.realPath(this.#path)
    if (real === undefined) {
      if ((await this.#files.stat(this.#path)) !== undefined) throw this.#inTheWay('is a link to nothing')
      return
    }
    const found = await this.#files.stat(real)
    if (found?.kind !== 'file') throw this.#inTheWay(`is ${found?.kind === 'directory' ? 'a directory' : 'no file'}`)
    const head = (await this.#files.readBytes(real, headBytes))?.toString('utf8') ?? ''
    if (!isSavedPlan(head)) throw this.#inTheWay('holds something else than a plan of Maestra')
  }

  #inTheWay(what: string): MaestraError {
    return new MaestraError('bad-usage', `${this.#path} ${what}, so no plan is written there`, {
      hint: 'name another file: maestra plan --out <file>',
    })
  }
}

/** Throws plan-file-invalid for what is no plan file, is damaged, or was changed since it was written. */
export async function readPlanFile(path: string): Promise<SavedPlan> {
  const file = resolve(path)
  const { files } = new LocalHost()
  const real = await files.realPath(file)
  const found = real === undefined ? undefined : await files.stat(real)
  if (real === undefined || found?.kind !== 'file') {
    const what =
      found === undefined ? 'it is not there' : found.kind === 'directory' ? 'it is a directory' : 'it is no file'
    throw new MaestraError('plan-file-invalid', `cannot read the plan file ${file}: ${what}`, {
      hint: `make one: maestra plan --out ${file}`,
    })
  }
  return readSavedPlan((await files.readText(real)) ?? '', file)
}

/** Throws plan-outdated unless the plan that was made again is the saved one, for what the cluster file declared then. */
export function refuseUnlessCurrent(saved: SavedPlan, cluster: DeclaredCluster, now: Plan): void {
  const edited =
    declarationHash(cluster) === saved.declares ? [] : [`${cluster.file} declares something else than at that time`]
  const change = changedSince(saved.plan, now)
  const changes = [...edited, ...(change === undefined ? [] : [change])]
  if (changes.length === 0) return
  throw new MaestraError(
    'plan-outdated',
    `the plan of ${saved.createdAt} is not what there is to do now, so nothing was done; ${changes.join('; ')}`,
    { hint: 'look at the new plan: maestra plan' },
  )
}
