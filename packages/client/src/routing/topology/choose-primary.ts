import { formatLsn } from '../../postgres/lsn.js'
import { change, type Draft, nodeOf, remember, rememberPrimary } from './draft.js'
import { descends, type Lineage } from './histories.js'
import { incarnationKey } from './incarnation.js'
import type { LineageId } from './log-position.js'
import type { Address, KnownPrimary, NodeRole, NodeView } from './topology.js'

/** A server out of recovery, with the history that it writes. */
type Candidate = {
  readonly node: NodeView
  readonly lineage: Lineage
  readonly incarnation: string
}

type Choice =
  /** `beside`: others are out of recovery too, and this one is the primary all the same. */
  | { readonly state: 'known'; readonly candidate: Candidate; readonly beside: readonly Candidate[] }
  /** Nothing new is known of the last primary; it has not been silent for long. */
  | { readonly state: 'as-before' }
  | { readonly state: 'away'; readonly reason: string }
  | { readonly state: 'unknown' }
  | { readonly state: 'two-primaries'; readonly addresses: readonly Address[] }

/** Who is primary, and with that what each node is: rules T4 and T6. */
export function chooseRoles(draft: Draft, nowMs: number): void {
  settleSystem(draft)
  const choice = choose(draft, nowMs)
  settle(draft, choice, nowMs)
  for (const node of [...draft.nodes.values()]) assignRole(draft, node)
}

/** The system of most nodes that answered is the one that is meant, once all were heard; of equally many, the first's. */
function settleSystem(draft: Draft): void {
  const nodes = [...draft.nodes.values()]
  if (draft.memory.systemIdentifier !== undefined || !nodes.every(wasHeard)) return
  const counts = new Map<string, number>()
  for (const { systemIdentifier } of nodes) {
    if (systemIdentifier !== undefined) counts.set(systemIdentifier, (counts.get(systemIdentifier) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  if (most !== undefined) remember(draft, { systemIdentifier: most[0] })
}

function wasHeard(node: NodeView): boolean {
  return node.lastAnswerAtMs !== undefined || node.lastError !== undefined
}

function choose(draft: Draft, nowMs: number): Choice {
  const known = draft.memory.primary
  // Before all were heard, a server that was superseded may be the first to answer.
  if (draft.memory.systemIdentifier === undefined) return { state: 'unknown' }
  const candidates = recentCandidates(draft, nowMs)
  return known === undefined ? chooseFirst(draft, candidates) : chooseNext(draft, known, candidates, nowMs)
}

function chooseFirst(draft: Draft, candidates: readonly Candidate[]): Choice {
  if (candidates.length === 0) return { state: 'away', reason: 'no server out of recovery answers' }
  const newest = newestOf(draft, candidates)
  if (newest === undefined) return { state: 'two-primaries', addresses: candidates.map(addressOf) }
  if (newest.node.readOnly) return { state: 'away', reason: readOnly(newest) }
  return !newest.node.answers ? { state: 'unknown' } : { state: 'known', candidate: newest, beside: [] }
}

function chooseNext(draft: Draft, known: KnownPrimary, candidates: readonly Candidate[], nowMs: number): Choice {
  const its = candidates.find(({ node, lineage }) => lineage.id === known.lineage && node.answers)
  const others = candidates.filter(({ lineage }) => lineage.id !== known.lineage && mayFollow(draft, known, lineage))
  if (others.length === 0) return its ? goOn(its) : silent(draft, known, nowMs)
  const newest = newestOf(draft, others)
  const newestDescends = newest === undefined ? 'unknown' : descent(draft, newest.lineage, known.lineage)
  if (newest?.node.answers && (newestDescends === 'yes' || (its === undefined && isSilent(draft, known, nowMs)))) {
    return newest.node.readOnly
      ? { state: 'away', reason: readOnly(newest) }
      : { state: 'known', candidate: newest, beside: [] }
  }
  const descents = others.map(({ lineage }) => descent(draft, lineage, known.lineage))
  const onOldConnection = its !== undefined && its.node.connection === known.connection
  if (
    its &&
    onOldConnection &&
    !its.node.readOnly &&
    descents.every((answer) => answer === 'no' || answer === 'twin')
  ) {
    return { state: 'known', candidate: its, beside: others }
  }
  return { state: 'two-primaries', addresses: [known.address, ...others.map(addressOf)] }
}

function readOnly({ node }: Candidate): string {
  return `${node.address} is out of recovery and takes no writes (transaction_read_only is on)`
}

function addressOf({ node }: Candidate): Address {
  return node.address
}

function goOn(its: Candidate): Choice {
  if (its.node.readOnly) return { state: 'away', reason: readOnly(its) }
  return { state: 'known', candidate: its, beside: [] }
}

function silent(draft: Draft, known: KnownPrimary, nowMs: number): Choice {
  const node = nodeOf(draft, known.address)
  if (node?.answers && node.inRecovery) return { state: 'away', reason: `${known.address} is in recovery` }
  if (!isSilent(draft, known, nowMs)) return { state: 'as-before' }
  return { state: 'away', reason: node?.lastError ?? 'no answer' }
}

/** Whether the last primary has not answered for so long that it counts as away. */
function isSilent(draft: Draft, known: KnownPrimary, nowMs: number): boolean {
  const node = nodeOf(draft, known.address)
  if (node?.answers && node.lineage !== known.lineage) return true
  return node?.lastAnswerAtMs === undefined || nowMs - node.lastAnswerAtMs > draft.options.primaryFreshMs
}

/**
 * Servers out of recovery that answered of late: also when the last probe failed, since they may be up. One that is reached by
 * two addresses is one.
 */
function recentCandidates(draft: Draft, nowMs: number): readonly Candidate[] {
  const found = new Map<string, Candidate>()
  for (const node of draft.nodes.values()) {
    const lineage = node.lineage === undefined ? undefined : draft.histories.lineages.get(node.lineage)
    const { systemIdentifier, startedAt, lastAnswerAtMs } = node
    if (lineage === undefined || startedAt === undefined || systemIdentifier !== draft.memory.systemIdentifier) continue
    if (node.inRecovery || lastAnswerAtMs === undefined) continue
    if (nowMs - lastAnswerAtMs > draft.options.primaryFreshMs) continue
    const incarnation = incarnationKey({ systemIdentifier: lineage.systemIdentifier, startedAt })
    const same = found.get(incarnation)
    // The address by which it is known already stays.
    if (same === undefined || node.address === draft.memory.primary?.address)
      found.set(incarnation, { node, lineage, incarnation })
  }
  return [...found.values()]
}

/** Whether this history may go on after the known primary's: never one that was superseded, nor an older one. */
function mayFollow(draft: Draft, known: KnownPrimary, lineage: Lineage): boolean {
  return !draft.memory.superseded.includes(lineage.id) && lineage.timeline >= known.timeline
}

/** The one whose history goes on after those of all others; undefined when none is certain to. */
function newestOf(draft: Draft, candidates: readonly Candidate[]): Candidate | undefined {
  return candidates.find((one) =>
    candidates.every(
      (other) =>
        other === one ||
        (other.lineage.id !== one.lineage.id && descends(one.lineage, other.lineage, draft.histories) === 'yes'),
    ),
  )
}

function descent(draft: Draft, one: Lineage, from: LineageId): 'yes' | 'no' | 'twin' | 'unknown' {
  const other = draft.histories.lineages.get(from)
  if (other === undefined) return 'unknown'
  // Of the same number neither descends from the other, unless they are one: then it does not matter which is older.
  if (one.timeline === other.timeline && one.id !== other.id) return 'twin'
  return descends(one, other, draft.histories)
}

function settle(draft: Draft, choice: Choice, nowMs: number): void {
  switch (choice.state) {
    case 'as-before':
      break
    case 'known':
      settleKnown(draft, choice.candidate, choice.beside)
      break
    case 'away':
      settleAway(draft, choice.reason, nowMs)
      break
    case 'unknown':
      draft.primary = undefined
      draft.primaryState = 'unknown'
      break
    case 'two-primaries':
      settleTwo(draft, choice.addresses)
      break
  }
}

function settleKnown(draft: Draft, { node, lineage, incarnation }: Candidate, beside: readonly Candidate[]): void {
  const before = draft.memory.primary
  const { address } = node
  const wasKnown = draft.primaryState === 'known'
  draft.primary = address
  draft.primaryState = 'known'
  rememberPrimary(draft, {
    address,
    incarnation,
    lineage: lineage.id,
    timeline: lineage.timeline,
    // Beside others only the connection from before them proves that it is the same server still.
    connection: beside.length > 0 && before !== undefined ? before.connection : node.connection,
  })
  warnOfOthers(draft, beside, address)
  if (before === undefined || before.lineage !== lineage.id || before.address !== address) {
    const { switchpoint, timeline } = lineage
    draft.events.push({
      kind: 'primary-changed',
      ...(before && { from: before.address }),
      to: address,
      timeline,
      ...(switchpoint !== undefined && { switchpoint: formatLsn(switchpoint) }),
    })
    if (before !== undefined && before.lineage !== lineage.id) {
      remember(draft, { superseded: [...draft.memory.superseded, before.lineage], course: [] })
      // What did not follow the one before may follow this one.
      for (const each of draft.nodes.keys()) change(draft, each, { diverged: false })
    }
  } else if (!wasKnown) {
    draft.events.push({ kind: 'primary-back', address, timeline: lineage.timeline })
  }
}

function settleAway(draft: Draft, reason: string, nowMs: number): void {
  const address = draft.memory.primary?.address
  draft.primary = undefined
  if (draft.primaryState === 'away') return
  draft.primaryState = 'away'
  const since = address === undefined ? undefined : nodeOf(draft, address)?.lastAnswerAtMs
  draft.events.push({
    kind: 'primary-away',
    ...(address !== undefined && { address }),
    ...(since !== undefined && { silentMs: nowMs - since }),
    reason,
  })
  for (const each of draft.nodes.keys()) draft.askAgain.add(each)
}

function settleTwo(draft: Draft, addresses: readonly Address[]): void {
  draft.primary = undefined
  if (draft.primaryState !== 'two-primaries') {
    draft.events.push({ kind: 'two-primaries', addresses })
  }
  draft.primaryState = 'two-primaries'
}

/** Once for each history beside the primary's. */
function warnOfOthers(draft: Draft, beside: readonly Candidate[], chosen: Address): void {
  const warned = draft.memory.warned
  const news = beside.filter(({ lineage }) => !warned.includes(lineage.id))
  if (news.length === 0) return
  remember(draft, { warned: [...warned, ...news.map(({ lineage }) => lineage.id)] })
  draft.events.push({ kind: 'two-primaries', addresses: [chosen, ...news.map(({ node }) => node.address)], chosen })
}

function assignRole(draft: Draft, node: NodeView): void {
  const role = roleOf(draft, node)
  if (role === node.role) return
  change(draft, node.address, { role })
  const { address, systemIdentifier, timeline } = node
  const expected = draft.memory.systemIdentifier
  if (role === 'wrong-system' && systemIdentifier !== undefined && expected !== undefined) {
    draft.events.push({ kind: 'wrong-system', address, systemIdentifier, expected })
  }
  if (role === 'former-primary' && draft.primaryState !== 'two-primaries') {
    draft.events.push({
      kind: 'former-primary',
      address,
      ...(timeline !== undefined && { timeline }),
      ...(draft.primary !== undefined && { primary: draft.primary }),
    })
  }
}

function roleOf(draft: Draft, node: NodeView): NodeRole {
  const { systemIdentifier, inRecovery } = node
  const { memory, primaryState } = draft
  if (inRecovery === undefined) return 'unknown'
  if (memory.systemIdentifier !== undefined && systemIdentifier !== memory.systemIdentifier) return 'wrong-system'
  if (inRecovery) return 'replica'
  if (primaryState === 'two-primaries') return 'former-primary'
  const lineage = node.lineage === undefined ? undefined : draft.histories.lineages.get(node.lineage)
  if (memory.primary === undefined || lineage === undefined) return 'unknown'
  if (lineage.id === memory.primary.lineage) return 'primary'
  return primaryState === 'known' || !mayFollow(draft, memory.primary, lineage) ? 'former-primary' : 'unknown'
}
