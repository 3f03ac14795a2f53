import { dirname } from 'node:path'
import { serverAccount } from '../../server/account.js'
import type { StepContext, StepRunner } from '../step-runner.js'

/** The directory of the archive: nobody but the account of the server needs it. */
export const createArchive: StepRunner<'create-archive'> = {
  check: async (step, context) => (await missing(context, step.directory)) !== undefined,
  run: async (step, context) => {
    const { files } = context.site.host
    const owner = await serverAccount(context.site.host, context.node(step.node).data, context.cluster)
    await files.makeDirectory(step.directory, { mode: 0o700, owner })
    await files.syncDirectory(dirname(step.directory))
  },
  verify: async (step, context) => await missing(context, step.directory),
}

async function missing({ site }: StepContext, directory: string): Promise<string | undefined> {
  const { files } = site.host
  const real = await files.realPath(directory)
  const found = real === undefined ? undefined : await files.stat(real)
  return found?.kind === 'directory' ? undefined : `there is no directory ${directory}`
}
