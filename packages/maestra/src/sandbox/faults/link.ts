import { askKeeper } from '../keeper/ask-keeper.js'
import { type SandboxContext, standbyOf } from '../sandbox-context.js'

/** Lets no byte pass between a replica and its primary. */
export async function cut(context: SandboxContext, name: string): Promise<void> {
  const { name: node } = await standbyOf(context, name, 'cut')
  await askKeeper(context.sandbox.record, { verb: 'cut', node })
}

export async function mend(context: SandboxContext, name: string): Promise<void> {
  const { name: node } = await standbyOf(context, name, 'mend')
  await askKeeper(context.sandbox.record, { verb: 'mend', node })
}
