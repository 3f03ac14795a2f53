import { type Lsn, lsnOf } from '../../postgres/lsn.js'
import { timelineOf } from '../../postgres/timeline.js'
import type { ServerState } from './server-state.js'

/** What one promotion began; the first is that of initdb. */
export type Branch = { readonly timeline: number }

/** One record of a log. Two records are the same only if they are one object: that is the whole truth about histories. */
export type LogRecord = { readonly branch: Branch }

export type SimulatedServer = {
  readonly name: string
  log: LogRecord[]
  inRecovery: boolean
  runs: boolean
  /** What it is on at the end of its log. */
  branch: Branch
  /** Who it copies from. */
  upstream: SimulatedServer | undefined
  /** Whether it was able to copy when it last tried. */
  receives: boolean
  checkpointTimeline: number
  lastReplayed: number | undefined
  starts: number
  /** Counts what breaks its connections. */
  breaks: number
}

export const names = ['db1', 'db2', 'db3', 'db4'] as const

/** Servers that keep lists of records: promotions, crashes and copies as PostgreSQL does them, without its mechanics. */
export class SimulatedCluster {
  readonly servers: readonly SimulatedServer[]
  readonly #root: Branch = { timeline: 1 }

  constructor() {
    this.servers = names.map((name, index) => ({
      name,
      log: [],
      inRecovery: index > 0,
      runs: true,
      branch: this.#root,
      upstream: undefined,
      receives: false,
      checkpointTimeline: 1,
      lastReplayed: undefined,
      starts: 1,
      breaks: 0,
    }))
    const [primary, ...standbys] = this.servers
    for (const standby of standbys) standby.upstream = primary
    this.write(0, 3)
  }

  at(index: number): SimulatedServer {
    const server = this.servers[index % this.servers.length]
    if (server === undefined) throw new Error(`no server ${index}`)
    return server
  }

  write(index: number, count = 1): void {
    const { runs, inRecovery, log, branch } = this.at(index)
    for (let written = 0; runs && !inRecovery && written < count; written += 1) log.push({ branch })
  }

  /** A standby copies so many records, if its log is the beginning of the other's. */
  copy(index: number, count: number): void {
    const server = this.at(index)
    const { upstream } = server
    server.receives = false
    if (!server.runs || !server.inRecovery || !upstream?.runs || upstream === server) return
    if (!server.log.every((record, at) => upstream.log[at] === record)) return
    server.receives = true
    server.log.push(...upstream.log.slice(server.log.length, server.log.length + count))
    // On the switch to a new timeline it takes part from the first record on, or at the end of the one before.
    server.branch = upstream.log[server.log.length]?.branch ?? upstream.branch
  }

  follow(index: number, other: number): void {
    const server = this.at(index)
    if (server.inRecovery && this.at(other) !== server) server.upstream = this.at(other)
    server.receives = false
  }

  promote(index: number): void {
    const server = this.at(index)
    if (!server.runs || !server.inRecovery) return
    server.inRecovery = false
    server.branch = { timeline: server.branch.timeline + 1 }
    server.lastReplayed = server.log.length
    server.receives = false
  }

  checkpoint(index: number): void {
    const server = this.at(index)
    const last = this.#lastBranch(server).timeline
    server.checkpointTimeline = server.inRecovery ? Math.max(server.checkpointTimeline, last) : server.branch.timeline
  }

  kill(index: number): void {
    const server = this.at(index)
    if (server.runs) server.breaks += 1
    server.runs = false
    server.receives = false
  }

  /** Starts it again, as a standby of another one when it is told to, with less of its data when that is a copy of before. */
  start(index: number, standbyOf: number | undefined, lost: number): void {
    const server = this.at(index)
    if (server.runs) this.kill(index)
    server.runs = true
    server.starts += 1
    server.lastReplayed = undefined
    if (standbyOf !== undefined && this.at(standbyOf) !== server) {
      server.inRecovery = true
      server.upstream = this.at(standbyOf)
    }
    if (server.inRecovery) this.#truncate(server, lost)
    else this.#recover(server)
  }

  /** A backend crashes: the same start time, and a standby replays again from before. */
  crash(index: number, lost: number): void {
    const server = this.at(index)
    if (!server.runs) return
    server.breaks += 1
    server.receives = false
    if (server.inRecovery) this.#truncate(server, lost)
    else this.#recover(server)
  }

  /** A new base backup. */
  remake(index: number, other: number): void {
    const server = this.at(index)
    const source = this.at(other)
    if (source === server || !source.runs) return
    this.start(index, other, 0)
    server.log = [...source.log]
    // It is on the source's branch if something of that is in it.
    server.branch = this.#lastBranch(source)
    server.checkpointTimeline = Math.min(source.checkpointTimeline, server.branch.timeline)
  }

  state(server: SimulatedServer, asMonitor: boolean): ServerState {
    const position = lsnAt(server.log.length)
    return {
      systemIdentifier: '7001',
      startedAt: `${server.name} ${server.starts}`,
      backendPid: 1,
      readOnly: server.inRecovery,
      versionNumber: 180000,
      walBlockSize: 8192,
      walSegmentSize: 16 * 1024 * 1024,
      checkpointTimeline: timelineOf(server.checkpointTimeline),
      passedTimeline: timelineOf(server.checkpointTimeline),
      progress: server.inRecovery
        ? {
            inRecovery: true,
            replayed: position,
            received: position,
            receivedTimeline: asMonitor && server.receives ? timelineOf(server.branch.timeline) : undefined,
            receiverSeen: asMonitor,
            replayedCommitAgeMs: undefined,
          }
        : {
            inRecovery: false,
            inserted: position,
            flushed: position,
            timeline: timelineOf(server.branch.timeline),
            lastReplayed: server.lastReplayed === undefined ? undefined : lsnAt(server.lastReplayed),
          },
    }
  }

  #recover(server: SimulatedServer): void {
    server.lastReplayed = server.log.length
    server.checkpointTimeline = server.branch.timeline
  }

  #truncate(server: SimulatedServer, lost: number): void {
    server.log.length = Math.max(0, server.log.length - lost)
    server.branch = this.#lastBranch(server)
    server.checkpointTimeline = Math.min(server.checkpointTimeline, server.branch.timeline)
  }

  #lastBranch(server: SimulatedServer): Branch {
    return server.log.at(-1)?.branch ?? this.#root
  }
}

/** The position behind so many records. */
export function lsnAt(records: number): Lsn {
  return lsnOf(BigInt(0x1000 + records * 0x10))
}
