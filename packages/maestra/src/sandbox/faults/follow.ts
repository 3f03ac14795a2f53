import { Deadline, type Look, waitUntil } from '@maestra/client/base/deadline'
import { formatLsn } from '@maestra/client/postgres/lsn'
import { historyContains } from '@maestra/client/postgres/timeline'
import { type DeclaredCluster, type DeclaredNode, primaryOf } from '../../cluster/declared-cluster.js'
import { type Login, withConnection } from '../../server/connection.js'
import { observeProcess } from '../../server/postmaster.js'
import { keepsWalFrom, standbyPosition, type TimelineHistory, timelineHistory } from '../../server/promote.js'
import { inTurn } from '../in-turn.js'
import { askKeeper } from '../keeper/ask-keeper.js'
import { roleOf } from '../sandbox-cluster.js'
import { clusterOf, loginOf, nodeOf, type SandboxContext } from '../sandbox-context.js'
import { makeAnew } from './make-anew.js'

const followTimeoutMs = 60_000

/**
 * Has a replica follow the primary that there is now. One that has WAL which is not of the primary's history, or needs WAL
 * that the primary has not kept, is made anew. One that does not run or stands still, that is cut off, paused or late
 * follows when it can; so do all while the primary cannot be asked.
 */
export async function follow(context: SandboxContext, cluster: DeclaredCluster, node: DeclaredNode): Promise<void> {
  const isCut = await pointTo(context, node, primaryOf(cluster))
  if (!(await answers(context, node)) || !(await answers(context, primaryOf(cluster)))) return
  const primary = await loginOf(context, cluster, primaryOf(cluster))
  const standby = await loginOf(context, cluster, node)
  const history = await timelineHistory(primary)
  const isHeld = isCut || (await isHeldBack(standby))
  const outcome = await waitUntil(() => look({ primary, standby, history, isHeld }), {
    awaited: `${node.name} to follow ${primary.node} on timeline ${history.timeline}`,
    deadline: Deadline.after(followTimeoutMs),
    everyMs: 10,
    signal: context.signal,
  })
  if (outcome === 'cannot') await replace(context, cluster, node, isCut)
}

/** A new copy is of use only with the WAL that was written meanwhile; its server of before is gone by then. */
async function replace(
  context: SandboxContext,
  cluster: DeclaredCluster,
  node: DeclaredNode,
  isCut: boolean,
): Promise<void> {
  const { record } = context.sandbox
  await makeAnew(context, cluster, node, async (bringUp) => {
    if (isCut) await askKeeper(record, { verb: 'mend', node: node.name })
    await bringUp()
    if (isCut) await askKeeper(record, { verb: 'cut', node: node.name })
  })
}

/** Copies the data of a replica once more: somebody was killed who had begun to do that. */
export async function copyOnceMore(context: SandboxContext, cluster: DeclaredCluster, node: DeclaredNode) {
  await replace(context, cluster, node, await pointTo(context, node, primaryOf(cluster)))
}

/** The same for a node by its name, in turn with what else is done to the sandbox. */
export async function followInTurn(context: SandboxContext, name: string): Promise<void> {
  await inTurn(context, async () => {
    const cluster = await clusterOf(context)
    await followAgain(context, cluster, nodeOf(cluster, name))
  })
}

/** For a replica that has come back; for a primary, those that could not follow it while it was away. */
export async function followAgain(
  context: SandboxContext,
  cluster: DeclaredCluster,
  node: DeclaredNode,
): Promise<void> {
  const roles = cluster.nodes.map(roleOf)
  const standbys = cluster.nodes.filter((each) => roleOf(each) === 'standby')
  if (roleOf(node) === 'standby') await follow(context, cluster, node)
  // Before the first promotion nobody can be ahead of it.
  else if (roleOf(node) === 'primary' && roles.includes('former-primary'))
    await Promise.all(standbys.map((standby) => follow(context, cluster, standby)))
}

/** Whether its server runs and does not stand still. */
async function answers({ site: { host } }: SandboxContext, { data }: DeclaredNode): Promise<boolean> {
  const found = await observeProcess(host, data)
  if (found.kind !== 'running') return false
  return (await host.processes.identify(found.pid))?.stopped === false
}

/** Has its link lead to the primary that there is; whether it is cut. */
async function pointTo({ sandbox }: SandboxContext, node: DeclaredNode, { port }: DeclaredNode): Promise<boolean> {
  const links = await askKeeper(sandbox.record, { verb: 'retarget', node: node.name, port })
  return links.some((link) => link.node === node.name && link.cut)
}

/** Whether it is paused or late, so that it is not waited for. */
async function isHeldBack(standby: Login): Promise<boolean> {
  return await withConnection(standby, async (client) => {
    const result = await client.query<{ held: boolean }>(
      `select pg_is_wal_replay_paused() or current_setting('recovery_min_apply_delay') <> '0' as held`,
    )
    return result.rows[0]?.held ?? false
  })
}

type Question = {
  readonly primary: Login
  readonly standby: Login
  readonly history: TimelineHistory
  readonly isHeld: boolean
}

/** Asked again and again, since a server that has just started replays what it has before it connects. */
async function look(question: Question): Promise<Look<'follows' | 'cannot'>> {
  const { primary, standby, history, isHeld } = question
  const { timeline, lsn } = await standbyPosition(standby)
  if (!historyContains(history.switches, history.timeline, timeline, lsn)) return { done: true, value: 'cannot' }
  const { streams, hasReplayedAll } = await receptionOf(standby, history.timeline)
  if (streams) return { done: true, value: 'follows' }
  // Its slot does not tell: what it asks for moves that back. One that is held never asks, and may have to be told.
  const asks = hasReplayedAll || (isHeld && timeline < history.timeline)
  if (asks && !(await keepsWalFrom(primary, lsn))) return { done: true, value: 'cannot' }
  if (isHeld) return { done: true, value: 'follows' }
  return { done: false, seen: `it is on timeline ${timeline} at ${formatLsn(lsn)}` }
}

type Reception = {
  readonly streams: boolean
  /** It has nothing of its own left to replay, and waits before it asks its primary again. */
  readonly hasReplayedAll: boolean
}

async function receptionOf(standby: Login, timeline: number): Promise<Reception> {
  return await withConnection(standby, async (client) => {
    const result = await client.query<Reception>(
      `select exists (select from pg_stat_wal_receiver where status = 'streaming' and received_tli = $1) as streams,
         exists (select from pg_stat_activity where backend_type = 'startup'
           and wait_event = 'RecoveryRetrieveRetryInterval') as "hasReplayedAll"`,
      [timeline],
    )
    return result.rows[0] ?? { streams: false, hasReplayedAll: false }
  })
}
