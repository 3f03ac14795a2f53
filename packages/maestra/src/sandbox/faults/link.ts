import { askKeeper } from '../keeper/ask-keeper.js'
import { type SandboxContext, standbyOf } from '../sandbox-context.js'
import { followInTurn } from './follow.js'

/** Lets no byte pass between a replica and its primary. */
export async function cut(context: SandboxContext, name: string): Promise<void> {
  const { name: node } = await standbyOf(context, name, 'cut')
  await askKeeper(context.sandbox.record, { verb: 'cut', node })
}

/** Lets bytes pass again. A replica goes on with the primary that there is by now. */
export async function mend(context: SandboxContext, name: string): Promise<void> {
  const { name: node } = await standbyOf(context, name, 'mend')
  await askKeeper(context.sandbox.record, { verb: 'mend', node })
  await followInTurn(context, node)
}
