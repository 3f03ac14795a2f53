import { type DeclaredNode, slotName } from '../../cluster/declared-cluster.js'
import type { Login } from '../../server/connection.js'
import { promote as promoteServer } from '../../server/promote.js'
import { delayReplay } from '../../server/replay.js'
import { ensurePhysicalSlot } from '../../server/replication-slot.js'
import { inTurn } from '../in-turn.js'
import { askKeeper } from '../keeper/ask-keeper.js'
import { declarePrimary, roleOf } from '../sandbox-cluster.js'
import { clusterOf, loginOf, type SandboxContext, standbyOf } from '../sandbox-context.js'
import { follow } from './follow.js'

/**
 * Promotes a replica and has the others follow it. The old primary is left as it is. Killed on the way, a second call, or
 * a start, does what is left to do.
 */
export async function promote(context: SandboxContext, name: string): Promise<void> {
  await inTurn(context, () => promoteInTurn(context, name))
}

async function promoteInTurn(context: SandboxContext, name: string): Promise<void> {
  const node = await standbyOf(context, name, 'promote')
  const before = await clusterOf(context)
  const login = await loginOf(context, before, node)
  // Without it the others could not follow: better to know before anything has changed.
  await askKeeper(context.sandbox.record, { verb: 'links' })
  const followers = before.nodes.filter((each) => roleOf(each) === 'standby' && each.name !== name)
  await keepWalFor(login, followers)
  await promoteServer(login)
  const cluster = await declarePrimary(context.site.host, before, name)
  await delayReplay(login, 0)
  await Promise.all(followers.map((follower) => follow(context, cluster, follower)))
}

/** Before the promotion: from here on the new primary keeps what the others lack. */
async function keepWalFor(primary: Login, followers: readonly DeclaredNode[]): Promise<void> {
  for (const { name } of followers) await ensurePhysicalSlot(primary, slotName(name))
}
