import { parseLsn } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import { judge } from './histories.js'
import { LogPosition } from './log-position.js'
import { reduce, topologyOfAddresses } from './reduce.js'
import { positionOn, satisfies } from './satisfies.js'
import type { Progress, ServerState } from './server-state.js'
import type { NodeView, Topology } from './topology.js'
import type { TopologyEvent } from './topology-event.js'
import type { TopologyInput } from './topology-input.js'

/**
 * Runs the lines of a scenario and prints each with what follows from it:
 *
 *     nodes db1 db2                     the addresses, first of all
 *     +300                              so many ms pass
 *     db1 primary 1 0/5000              a probe saw a primary on timeline 1 that has inserted up to 0/5000
 *     db2 standby 0/5000                a probe saw a standby that has replayed up to 0/5000
 *     db2 at 0/5000                     a look at positions alone
 *     db1 fails ECONNREFUSED            a probe failed; `hangs`: nobody answered it; `breaks`: the connection broke
 *     db1 error 25006                   a statement of the pool failed there
 *     db1 wrote 0/6000                  a write succeeded there, and its connection saw so much inserted
 *     tick                              nothing but time
 *     floor A = db1 0/5000              a position that was read from db1 as it is now known
 *     token B = 1 0/5000                a position that came from outside
 *     show                              prints the topology, and what contains each position
 *
 * Behind a probe: flush=, replayed= (what a primary still tells of its promotion, or of its recovery from a crash), checkpoint=
 * (the timeline of the last one), received=, tl= (received timeline, as pg_monitor sees
 * it), monitor (it sees that nothing is received), passed=, system=, started=, read-only, pooler, age= (of the last
 * replayed commit in ms).
 */
export function runScenario(script: string): string {
  const run = new Scenario()
  return `${script
    .trim()
    .split('\n')
    .flatMap((line) => run.step(line.trim()))
    .join('\n')}\n`
}

class Scenario {
  #topology: Topology = topologyOfAddresses([])
  #nowMs = 0
  #number = 0
  readonly #connections = new Map<string, number>()
  readonly #positions = new Map<string, LogPosition>()

  step(line: string): readonly string[] {
    const [first = '', second = '', ...rest] = line.split(/\s+/)
    if (first === '' || first === '#') return [line]
    if (first === 'nodes') this.#topology = topologyOfAddresses([second, ...rest])
    else if (first.startsWith('+')) this.#nowMs += Number(first.slice(1))
    else if (first === 'floor' || first === 'token') this.#positions.set(second, this.#position(first, rest))
    else if (first === 'show') return [line, ...this.#show().map((shown) => `    ${shown}`)]
    else return [line, ...this.#hear(this.#input(first, second, rest)).map((heard) => `    ${heard}`)]
    return [line]
  }

  #hear(input: TopologyInput): readonly string[] {
    const { topology, events, askAgain } = reduce(this.#topology, input, this.#nowMs)
    this.#topology = topology
    return [...events.map(printEvent), ...(askAgain.length > 0 ? [`asks ${askAgain.join(' ')}`] : [])]
  }

  #input(address: string, verb: string, rest: readonly string[]): TopologyInput {
    if (address === 'tick') return { kind: 'tick' }
    const options = optionsOf(rest)
    switch (verb) {
      case 'primary':
      case 'standby':
        return this.#answered(address, stateOf(address, verb, rest, options), options.has('pooler'))
      case 'at':
        return {
          kind: 'progressed',
          address,
          ...this.#look(address),
          progress: this.#progressAt(address, rest[0] ?? '', options),
        }
      case 'fails':
      case 'hangs': {
        this.#connections.delete(address)
        return {
          kind: 'failed',
          address,
          hung: verb === 'hangs',
          error: rest.join(' ') || 'no answer within 1000 ms',
          random: 0.5,
        }
      }
      case 'breaks': {
        const connection = this.#connections.get(address) ?? 0
        this.#connections.delete(address)
        return { kind: 'lost', address, connection, error: 'the connection ended' }
      }
      case 'error':
        return { kind: 'evidence', address, code: rest[0] ?? '' }
      case 'wrote': {
        const { systemIdentifier = '', startedAt = '', timeline = timelineOf(1) } = this.#node(address)
        const inserted = parseLsn(rest[0] ?? '')
        return { kind: 'evidence', address, wrote: { systemIdentifier, startedAt, timeline, inserted } }
      }
      default:
        throw new Error(`no such step: ${address} ${verb}`)
    }
  }

  #answered(address: string, state: ServerState, pooler: boolean): TopologyInput {
    if (!this.#connections.has(address)) this.#connections.set(address, this.#next())
    return { kind: 'answered', address, ...this.#look(address), processId: pooler ? 1 : state.backendPid, state }
  }

  #look(address: string) {
    return { connection: this.#connections.get(address) ?? 0, sent: this.#next(), received: this.#next() }
  }

  #progressAt(address: string, lsn: string, options: ReadonlyMap<string, string>): Progress {
    const isPrimary = this.#node(address).inRecovery === false
    return progressOf(isPrimary ? 'primary' : 'standby', isPrimary ? ['1', lsn] : [lsn], options)
  }

  #position(kind: string, [, where = '', lsn = '']: readonly string[]): LogPosition {
    const timeline = () => ({ systemIdentifier: '7001', timeline: timelineOf(Number(where)) })
    const position =
      kind === 'token' ? new LogPosition(timeline(), parseLsn(lsn)) : positionOn(this.#node(where), parseLsn(lsn))
    if (position === undefined) throw new Error(`${where} writes no history`)
    return position
  }

  #show(): readonly string[] {
    const { nodes, primary, primaryState, histories } = this.#topology
    const shown = [`primary ${primaryState}${primary ? ` ${primary.address}` : ''}`]
    for (const node of nodes.values()) shown.push(this.#printNode(node))
    for (const [name, position] of this.#positions) {
      const replicas = [...nodes.values()].filter(({ role }) => role === 'replica')
      const answers = replicas.map(
        (node) => `${node.address} ${satisfies(node, position, this.#topology, this.#nowMs)}`,
      )
      shown.push(
        `${name} (${position.toString()}): primary's history ${judge(position, histories)}; ${answers.join(', ') || 'no replica'}`,
      )
    }
    return shown
  }

  #printNode(node: NodeView): string {
    const { address, role, answers, ejected, timeline, replayed, written, lagBytes, lagMs, diverged, lineage } = node
    const words = [
      timeline === undefined ? '' : `timeline ${timeline}`,
      lineage === undefined ? '' : `history ${lineage}`,
      written === undefined ? '' : `inserted ${written.inserted.toString()}`,
      replayed === undefined ? '' : `replayed ${replayed.lsn.toString()}`,
      lagBytes === undefined ? '' : `behind ${lagBytes} B`,
      lagMs === undefined ? '' : `${lagMs} ms`,
      diverged ? 'diverged' : '',
      answers || role === 'unknown' ? '' : 'does not answer',
      ejected === undefined ? '' : `ejected (${ejected.reason}, next try in ${ejected.retryAtMs - this.#nowMs} ms)`,
    ].filter((word) => word !== '')
    return `${address.padEnd(4)} ${role.padEnd(14)} ${words.join(', ')}`.trimEnd()
  }

  #node(address: string): NodeView {
    const node = this.#topology.nodes.get(address)
    if (node === undefined) throw new Error(`no node ${address}`)
    return node
  }

  #next(): number {
    this.#number += 1
    return this.#number
  }
}

function printEvent({ kind, ...rest }: TopologyEvent): string {
  const words = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  return `! ${kind} ${words.join(' ')}`
}

function optionsOf(words: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    words.map((word) => {
      const [key = '', value = ''] = word.split('=')
      return [key, value]
    }),
  )
}

function stateOf(
  address: string,
  verb: string,
  rest: readonly string[],
  options: ReadonlyMap<string, string>,
): ServerState {
  const passed = options.get('passed') ?? (verb === 'primary' ? rest[0] : '1')
  return {
    systemIdentifier: options.get('system') ?? '7001',
    startedAt: options.get('started') ?? `10:00 ${address}`,
    backendPid: 100,
    readOnly: verb === 'standby' || options.has('read-only'),
    versionNumber: 180004,
    walBlockSize: 8192,
    walSegmentSize: 16 * 1024 * 1024,
    checkpointTimeline: timelineOf(Number(options.get('checkpoint') ?? passed)),
    passedTimeline: timelineOf(Number(passed)),
    progress: progressOf(verb, rest, options),
  }
}

function progressOf(verb: string, rest: readonly string[], options: ReadonlyMap<string, string>): Progress {
  const lsn = (name: string) => (options.has(name) ? parseLsn(options.get(name) ?? '') : undefined)
  const timeline = (text: string | undefined) => (text === undefined ? undefined : timelineOf(Number(text)))
  if (verb === 'primary') {
    const inserted = parseLsn(rest[1] ?? '')
    return {
      inRecovery: false,
      inserted,
      flushed: lsn('flush') ?? inserted,
      timeline: timeline(rest[0]),
      lastReplayed: lsn('replayed'),
    }
  }
  const replayed = parseLsn(rest[0] ?? '')
  return {
    inRecovery: true,
    replayed,
    received: lsn('received') ?? replayed,
    receivedTimeline: timeline(options.get('tl')),
    receiverSeen: options.has('tl') || options.has('monitor'),
    replayedCommitAgeMs: options.has('age') ? Number(options.get('age')) : undefined,
  }
}
