import { Secret } from '@maestra/client/base/secret'
import { formatSettings, settingsOf } from '@maestra/client/postgres/conf'
import { parseLsn } from '@maestra/client/postgres/lsn'
import { standbyMinimumSettings } from '@maestra/client/postgres/settings'
import { timelineOf } from '@maestra/client/postgres/timeline'
import { parseServerVersion } from '@maestra/client/postgres/version'
import type { DeclaredCluster, DeclaredNode } from '../../cluster/declared-cluster.js'
import { hbaBlockText, nodeConfiguration, nodePassfileText } from '../../cluster/node-configuration.js'
import type { DataDirectory, NodeObservation, Observation, RunningServer } from '../../cluster/observation.js'

/**
 * The observation that a text tells, for scenarios. One line a node, `;` between its facts, further lines indented:
 *
 *     passwords: none
 *     db1: data of shop/db1; running as primary at 0/3000000; slot db2 active
 *     db2: data of shop/db2 as standby; running as standby at 0/3000000; streams from 127.0.0.1:5441 through db2
 *     db3: no directory
 *
 * A line `archive:` tells of the archive, where one is declared. What is not said is as it should be: files as declared, the replication role there, port free, programs found.
 */
export function readSeen(text: string, cluster: DeclaredCluster): Observation {
  const lines = text.replace(/\n[ \t]+/g, ' ').split('\n')
  const told = new Map(
    lines
      .filter((line) => line.trim() !== '')
      .map((line) => [line.split(':', 1)[0] ?? '', line.replace(/^[^:]*:/, '')]),
  )
  const known = told.get('passwords')?.trim() ?? 'superuser, replication'
  return {
    passwords: {
      superuser: known.includes('superuser') ? new Secret('wide-open') : undefined,
      replication: known.includes('replication') ? replicationPassword : undefined,
      nodesWithout: told.get('passfile without')?.trim().split(', ') ?? [],
      ignoredPassfile: told.get('own passfile')?.trim(),
    },
    ...(cluster.archive === undefined ? {} : { archive: archiveOf(told.get('archive') ?? '') }),
    copy: copyOf(told.get('copy')),
    nodes: cluster.nodes.map((node) => nodeOf(cluster, node, told.get(node.name) ?? '')),
  }
}

/** `no directory`, `unknown: ...`, `is ...`, `leads into db2`, `postgres cannot enter /srv`, `postgres cannot write`, `WAL of system 7002`. */
function archiveOf(text: string): NonNullable<Observation['archive']> {
  const told = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1]
  const because = told(/unknown: (.*)/)
  if (because !== undefined) return { kind: 'unknown', because }
  const other = told(/^\s*is (.*)/)
  if (other !== undefined) return { kind: 'in-the-way', because: other }
  const facts = { account: 'postgres', inDataOf: told(/leads into (\S+)/), closedFolder: told(/cannot enter (\S+)/) }
  if (text.includes('no directory')) return { kind: 'absent', ...facts }
  const system = told(/WAL of system (\d+)/)
  return {
    kind: 'directory',
    ...facts,
    writable: !text.includes('cannot write'),
    wal: system === undefined ? [] : [{ name: '000000010000000000000003', systemIdentifier: system }],
  }
}

/** `300 GB of data, 900 GB of WAL in 240 h` */
function copyOf(copy: string | undefined): Observation['copy'] {
  if (copy === undefined) return undefined
  const [, data = 0, wal = 0, hours = 0] = /(\d+) GB of data, (\d+) GB of WAL in ([\d.]+) h/.exec(copy) ?? []
  const gigabyte = 1024 ** 3
  return {
    dataBytes: Number(data) * gigabyte,
    walBytes: Number(wal) * gigabyte,
    walMs: Number(hours) * 3_600_000,
  }
}

const replicationPassword = new Secret('follow-me')

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Seen = Mutable<NodeObservation>

function nodeOf(cluster: DeclaredCluster, node: DeclaredNode, text: string): NodeObservation {
  const seen: Seen = {
    name: node.name,
    directory: { kind: 'absent' },
    process: { kind: 'none' },
    server: { kind: 'down' },
    binaries: {
      kind: 'found',
      directory: '/usr/lib/postgresql/18/bin',
      version: parseServerVersion('18.4'),
      source: 'PATH',
    },
    port: { kind: 'free' },
  }
  for (const fact of text.split(';').map((each) => each.trim())) tell(seen, fact, cluster, node)
  runWithFile(seen)
  return seen
}

function tell(seen: Seen, fact: string, cluster: DeclaredCluster, node: DeclaredNode): void {
  for (const [pattern, apply] of facts) {
    const found = new RegExp(`^${pattern}$`).exec(fact)
    if (found === null) continue
    const [, ...words] = found
    apply({ seen, cluster, node }, ...words.map((word) => word ?? ''))
    return
  }
  throw new Error(`${node.name}: nobody knows what "${fact}" means`)
}

type Told = { readonly seen: Seen; readonly cluster: DeclaredCluster; readonly node: DeclaredNode }
type Fact = readonly [pattern: string, apply: (told: Told, ...words: string[]) => void]

const facts: readonly Fact[] = [
  ['elsewhere: (.*)', ({ seen }, because) => elsewhere(seen, because)],
  ['no directory', ({ seen }) => directory(seen, { kind: 'absent' })],
  ['empty directory', ({ seen }) => directory(seen, { kind: 'empty' })],
  ['holds (.*)', ({ seen }, names) => directory(seen, { kind: 'foreign', holds: names.split(', ') })],
  ['directory is (a link|a mount point)', ({ seen }, because) => directory(seen, { kind: 'unusable', because })],
  ['directory unknown: (.*)', ({ seen }, because) => directory(seen, { kind: 'unknown', because })],
  ['data of nobody', (told) => directory(told.seen, foreignData(told))],
  ['data of (\\S+)/(\\S+?)( as standby)?', (told, made, name, standby) => ownData(told, made, name, standby !== '')],
  ['data (is a link|is a mount point|has tablespaces.*)', ({ seen }, fixed) => data(seen, { fixed })],
  ['major (\\d+)', ({ seen }, major) => data(seen, { majorVersion: Number(major) })],
  ['system (\\d+)', ({ seen }, systemIdentifier) => control(seen, { systemIdentifier })],
  ['timeline (\\d+)', ({ seen }, timeline) => control(seen, { timeline: timelineOf(Number(timeline)) })],
  ['control says (.*)', ({ seen }, state) => control(seen, { state })],
  ['file says (\\S+) (.*)', ({ seen }, name, value) => setting(seen, { [name]: value })],
  ['no settings file', ({ seen }) => configuration(data(seen, { madeFor: undefined }), { settings: undefined })],
  ['(\\S+\\.conf):(\\d+) says (\\S+) (.*)', ({ seen }, ...words) => settingAbove(seen, ...words)],
  ['no include', ({ seen }) => configuration(seen, { included: false })],
  ['no hba block', ({ seen }) => configuration(seen, { hbaBlock: undefined })],
  ['hba block: (.*)', ({ seen }, lines) => configuration(seen, { hbaBlock: lines.replaceAll(' | ', '\n') })],
  ['no passfile', ({ seen }) => configuration(seen, { passfile: undefined })],
  ['other passfile', ({ seen }) => configuration(seen, { passfile: new Secret('another') })],
  [
    'no programs in (.*)',
    ({ seen }, places) => Object.assign(seen, { binaries: { kind: 'missing', looked: places.split(', ') } }),
  ],
  ['stopped', () => {}],
  ['port taken: (.*)', ({ seen }, reason) => Object.assign(seen, { port: { kind: 'taken', reason } })],
  ['process unknown: (.*)', ({ seen }, because) => hidden(seen, because)],
  ['running as (primary|standby) at (\\S+)', (told, role, lsn) => running(told, role === 'standby', lsn)],
  ['starting: (.*)', (told, because) => started(told, { kind: 'starting', because })],
  ['unreachable: (.*)', (told, because) => started(told, { kind: 'unreachable', because })],
  ['listens on (\\d+)', (told, port) => listens(told.seen, Number(port))],
  ['server of system (\\d+)', ({ seen }, systemIdentifier) => server(seen, { systemIdentifier })],
  ['server on timeline (\\d+)', ({ seen }, timeline) => server(seen, { timeline: timelineOf(Number(timeline)) })],
  ['streams from (\\S+):(\\d+)(?: through (\\S+))?', ({ seen }, ...from) => receiver(seen, 'streaming', ...from)],
  ['WAL receiver (\\S+) from (\\S+):(\\d+) through (\\S+)', ({ seen }, ...from) => receiver(seen, ...from)],
  ['replays (\\d+) ms late', ({ seen }, ms) => server(seen, { applyDelayMs: Number(ms) })],
  ['started at (\\d+)', ({ seen }, ms) => server(seen, { startedAtMs: Number(ms) })],
  ['replayed a commit of (\\d+)', ({ seen }, ms) => server(seen, { lastReplayedCommitAtMs: Number(ms) })],
  ['waits for its delay of (\\d+) ms', ({ seen }, ms) => waits(seen, Number(ms))],
  ['replay paused', ({ seen }) => server(seen, { replayPaused: true })],
  ['slot (\\S+)((?: \\w+)*)', ({ seen }, name, words) => slot(seen, name, words)],
  ['tablespaces (.*)', ({ seen }, words) => tablespaces(seen, words)],
  ['cannot archive (\\S+)', ({ seen }, file) => server(seen, { failedArchiving: { file, times: 3 } })],
  ['no role', ({ seen }) => server(seen, { replicationRole: undefined })],
  [
    'weak role with another password',
    ({ seen }) => server(seen, { replicationRole: { ...weakRole, passwordIs: 'another' } }),
  ],
  ['role without (?:login|replication)', ({ seen }) => server(seen, { replicationRole: weakRole })],
  [
    'role whose password is (another|md5|unknown)',
    ({ seen }, passwordIs) =>
      server(seen, { replicationRole: { ...strongRole, passwordIs: passwordIs as 'another' | 'md5' | 'unknown' } }),
  ],
  [
    'WAL (?:from (\\S+) )?to (\\S+)(?: of timeline (\\d+))?((?:, left timeline \\d+ at [^, ]+)*)(, restores)?(, not archived)?(?:, other than (\\S+) at (\\S+))?',
    ({ seen }, from, end, timeline, left, restores, lacks, other, at) =>
      wal(seen, { from, end, timeline, left, restores, lacks, other, at }),
  ],
  ['WAL unknown: (.*)', ({ seen }, because) => Object.assign(seen, { wal: { kind: 'unknown', because } })],
  [
    'its primary had (\\w+) (\\d+)',
    ({ seen }, name, value) =>
      control(seen, { standbyMinimums: { ...standbyMinimumSettings, [name as 'max_connections']: Number(value) } }),
  ],
  ['files with an error: (.*)', ({ seen }, error) => server(seen, { configurationErrors: [error] })],
  ['files written after it read them', ({ seen }) => configuration(seen, { settingsWrittenAtMs: 3 })],
  ['waits for a restart: (.*)', ({ seen }, names) => server(seen, { pendingRestart: names.split(', ') })],
  ['waits for a restart to be without (.*)', ({ seen }, name) => runsWith(seen, name, '(what the file told)')],
  ['runs with (\\S+) (.*?)( by default)?', ({ seen }, name, value, words) => runsWith(seen, name, value, words === '')],
]

function waits(seen: Seen, applyDelayMs: number): void {
  server(seen, { applyDelayMs, waitsForDelay: true })
}

/** Other than its file says by now. */
function runsWith(seen: Seen, name: string, value: string, ofMaestra = true): void {
  if (seen.server.kind !== 'up') throw new Error(`${seen.name}: say "running as ..." first`)
  const { startedWith, pendingRestart } = seen.server
  server(seen, {
    startedWith: { ...startedWith, [name]: { value, ofMaestra } },
    pendingRestart: [...pendingRestart, name],
  })
}

/** A server runs with what its files say, unless something else was said. */
function runWithFile(seen: Seen): void {
  if (seen.server.kind !== 'up' || seen.directory.kind !== 'data') return
  const told = settingsOf(seen.directory.configuration.settings ?? '')
  const { startedWith, pendingRestart } = seen.server
  const asTold = Object.entries(takeRestart).map(([name, initial]) => {
    if (pendingRestart.includes(name)) return [name, { value: '(older)', ofMaestra: false }] as const
    return [name, { value: told[name] ?? initial, ofMaestra: told[name] !== undefined }] as const
  })
  server(seen, { startedWith: { ...Object.fromEntries(asTold), ...startedWith } })
}

/** Settings that only a restart changes, with their defaults. */
const takeRestart: Readonly<Record<string, string>> = {
  archive_mode: 'off',
  cluster_name: '',
  listen_addresses: 'localhost',
  port: '5432',
  shared_buffers: '128MB',
  ...Object.fromEntries(Object.entries(standbyMinimumSettings).map(([name, value]) => [name, String(value)])),
}

const strongRole = { canLogin: true, canReplicate: true, passwordIs: 'known' } as const
const weakRole = { ...strongRole, canReplicate: false }

function elsewhere(seen: Seen, because: string): void {
  directory(seen, { kind: 'unknown', because })
  hidden(seen, because)
  seen.binaries = { kind: 'missing', looked: [] }
}

function hidden(seen: Seen, because: string): void {
  seen.process = { kind: 'unknown', because }
  seen.server = { kind: 'unreachable', because }
  seen.port = { kind: 'not-asked' }
}

function directory(seen: Seen, found: NodeObservation['directory']): void {
  seen.directory = found
}

function foreignData({ seen }: Told): DataDirectory {
  const control = {
    systemIdentifier: '7001',
    state: 'shut down',
    timeline: timelineOf(1),
    checkpointLsn: parseLsn('0/2000060'),
    standbyMinimums: standbyMinimumSettings,
  }
  const configuration = {
    included: false,
    settings: undefined,
    settingsWrittenAtMs: undefined,
    hbaBlock: undefined,
    settingsAbove: [],
    passfile: undefined,
  }
  const kind = seen.directory.kind === 'data' ? seen.directory.kind : 'data'
  return { kind, majorVersion: 18, owner: 'postgres', madeFor: undefined, control, standbySignal: false, configuration }
}

/** The data directory that Maestra would have made for the node. */
function ownData(told: Told, made: string, name: string, standby: boolean): void {
  const { seen, cluster, node } = told
  const { settings, hbaLines } = nodeConfiguration(cluster, node)
  directory(seen, { ...foreignData(told), madeFor: { cluster: made, node: name }, standbySignal: standby })
  if (standby) control(seen, { state: 'shut down in recovery' })
  const passfile =
    cluster.replication.authentication === 'trust' ? undefined : nodePassfileText(cluster, replicationPassword)
  configuration(seen, { included: true, settings, hbaBlock: hbaBlockText(hbaLines), hbaBlockLine: 2, passfile })
}

function data(seen: Seen, change: Partial<DataDirectory>): Seen {
  if (seen.directory.kind !== 'data') throw new Error(`${seen.name}: say "data of ..." first`)
  directory(seen, { ...seen.directory, ...change })
  return seen
}

function control(seen: Seen, change: Partial<DataDirectory['control']>): void {
  if (seen.directory.kind !== 'data') throw new Error(`${seen.name}: say "data of ..." first`)
  data(seen, { control: { ...seen.directory.control, ...change } })
}

function configuration(seen: Seen, change: Partial<DataDirectory['configuration']>): void {
  if (seen.directory.kind !== 'data') throw new Error(`${seen.name}: say "data of ..." first`)
  data(seen, { configuration: { ...seen.directory.configuration, ...change } })
}

function setting(seen: Seen, change: Readonly<Record<string, string>>): void {
  const before = (seen.directory.kind === 'data' ? seen.directory.configuration.settings : undefined) ?? ''
  const header = [...before.matchAll(/^# (.*)$/gm)].map(([, line]) => line).join('\n')
  configuration(seen, { settings: formatSettings(header, { ...settingsOf(before), ...change }) })
}

/** A line that wins over Maestra's file. */
function settingAbove(seen: Seen, file = '', line = '', name = '', value = ''): void {
  const found = { file, line: Number(line), name, value }
  if (seen.server.kind === 'up') server(seen, { settingsAbove: [...seen.server.settingsAbove, found] })
  else if (seen.directory.kind === 'data')
    configuration(seen, { settingsAbove: [...seen.directory.configuration.settingsAbove, found] })
}

function started({ seen, node }: Told, found: NodeObservation['server']): void {
  seen.process = { kind: 'running', pid: 4711, status: 'ready', port: node.port }
  seen.port = { kind: 'not-asked' }
  seen.server = found
}

function running(told: Told, inRecovery: boolean, lsn: string): void {
  if (told.seen.directory.kind !== 'data') throw new Error(`${told.node.name}: say "data of ..." first`)
  const { systemIdentifier, timeline } = told.seen.directory.control
  control(told.seen, { state: inRecovery ? 'in archive recovery' : 'in production' })
  started(told, {
    kind: 'up',
    version: parseServerVersion('18.4'),
    systemIdentifier,
    dataDirectory: told.node.data,
    inRecovery,
    timeline,
    lsn: parseLsn(lsn),
    replayPaused: false,
    applyDelayMs: 0,
    waitsForDelay: false,
    startedAtMs: 1,
    lastReplayedCommitAtMs: undefined,
    sinceLastReplayMs: undefined,
    configurationErrors: [],
    settingsAbove: [],
    configurationLoadedAtMs: 2,
    pendingRestart: [],
    startedWith: {},
    walReceiver: undefined,
    walSenders: [],
    slots: [],
    tablespaces: [],
    replicationRole: strongRole,
  })
}

function server(seen: Seen, change: Partial<RunningServer>): void {
  if (seen.server.kind !== 'up') throw new Error(`${seen.name}: say "running as ..." first`)
  seen.server = { ...seen.server, ...change }
}

type ToldWal = { readonly [K in 'from' | 'end' | 'timeline' | 'left' | 'restores' | 'lacks' | 'other' | 'at']: string }

function wal(seen: Seen, told: ToldWal): void {
  const end = parseLsn(told.end)
  const switches = [...told.left.matchAll(/left timeline (\d+) at (\S+)/g)].map(([, parent, switchpoint = '']) => ({
    parent: timelineOf(Number(parent)),
    switchpoint: parseLsn(switchpoint.replace(',', '')),
    reason: '',
  }))
  seen.wal = {
    kind: 'known',
    timeline: timelineOf(Number(told.timeline || 1)),
    switches,
    end,
    needs: end,
    from: parseLsn(told.from || '0/1000000'),
    restores: told.restores !== '',
    ...(told.lacks === '' ? {} : { archived: false }),
    ...(told.other === '' ? {} : { differs: { from: told.other, at: parseLsn(told.at) } }),
  }
}

function listens(seen: Seen, port: number): void {
  if (seen.process.kind === 'running') seen.process = { ...seen.process, port }
}

function receiver(seen: Seen, status = '', host = '', port = '', slot = ''): void {
  server(seen, { walReceiver: { status, host, port: Number(port), slot: slot === '' ? undefined : slot } })
}

/** `fast at /ssd/fast, slow at /disk` */
function tablespaces(seen: Seen, words: string): void {
  const found = [...words.matchAll(/(\S+) at ([^,]+)/g)].map(([, name = '', location = '']) => ({ name, location }))
  server(seen, { tablespaces: found })
}

function slot(seen: Seen, name: string, words: string): void {
  const reserved = words.includes('unreserved') ? undefined : 'reserved'
  const walStatus = words.includes('lost') ? 'lost' : reserved
  const invalidation = words.includes('lost') ? 'wal_removed' : undefined
  const physical = !words.includes('logical')
  const found = { name, physical, active: words.includes('active'), walStatus, invalidation }
  server(seen, { slots: [...(seen.server.kind === 'up' ? seen.server.slots : []), found] })
}
