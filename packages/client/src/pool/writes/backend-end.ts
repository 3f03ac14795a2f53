import type { Watch } from '../../routing/watch.js'
import type { ServerConnection } from '../connections/server-connection.js'

/** Between two looks, in milliseconds. */
const lookMs = 50
/** Through a pooler nobody knows which process ran the statement (rule W6). */
const pooledMs = 60_000

/**
 * Calls back when the process at the other end of a lost connection is gone: what it had not committed by then it never will
 * (rule W6). While its server is not the primary that is known, that is for the change of the primary to settle.
 */
export function whenBackendEnded(
  watch: Pick<Watch, 'topology' | 'ask'>,
  { identity, node, isPooled }: ServerConnection,
  ended: () => void,
  isPoolEnded: () => boolean,
): void {
  if (identity === undefined) return
  if (isPooled) return void setTimeout(ended, pooledMs).unref()
  const text = `select pg_catalog.count(*)::pg_catalog.text as running
    from pg_catalog.pg_stat_activity where pid operator(pg_catalog.=) ${identity.backendPid}`
  const look = async (): Promise<void> => {
    if (isPoolEnded()) return
    const { primary } = watch.topology
    const isHere = primary?.address === node.address && primary.startedAt === identity.startedAt
    const rows = isHere
      ? await watch.ask(node.address, text).then(
          ({ rows }) => rows,
          () => undefined,
        )
      : undefined
    if (rows?.[0]?.['running'] === '0') return ended()
    const isElsewhere = primary !== undefined && !isHere
    if (!isElsewhere) setTimeout(() => void look(), lookMs).unref()
  }
  void look()
}
