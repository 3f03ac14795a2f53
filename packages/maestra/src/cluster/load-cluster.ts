import { dirname, resolve } from 'node:path'
import type { ServerVersionMajor } from '@maestra/client/postgres/version'
import { parseHostAndPort } from './address.js'
import { baseBackupRateKb } from './base-backup-rate.js'
import { type DataPath, isMapping, valueAt } from './data-path.js'
import type { DeclaredBaseBackup, DeclaredCluster, DeclaredNode } from './declared-cluster.js'
import type { Finding, SourcePlace } from './finding.js'
import { parameterFindings } from './parameter-findings.js'
import { type ClusterFile, clusterFileSchema } from './schema.js'
import { shapeFindings } from './shape-findings.js'
import { wording } from './wording.js'
import { readYaml, type YamlSource } from './yaml-source.js'

/** A cluster file that was read: the cluster when nothing is wrong with the file, and everything that is. */
export type LoadedCluster = {
  readonly cluster: DeclaredCluster | undefined
  /** In the order of the file. */
  readonly findings: Finding[]
  /**
   * Where the file says the value at a path (`['nodes', 1, 'port']`); undefined when it does not. Parameters are
   * found in any case.
   */
  locate(path: DataPath): SourcePlace | undefined
}

/**
 * Reads the text of a cluster file; `file` is its absolute path, against which the paths in it are resolved. Never
 * throws.
 */
export function loadCluster(text: string, file: string): LoadedCluster {
  const absolute = resolve(file)
  const source = readYaml(text, absolute)
  const locate = (path: DataPath) => source.valuePlace(writtenPath(source.data, path))
  const findings = [...source.findings]
  let cluster: DeclaredCluster | undefined
  if (isMapping(source.data)) {
    const result = clusterFileSchema.safeParse(source.data)
    findings.push(...shapeFindings(result.error?.issues ?? [], source), ...parameterFindings(source))
    if (result.data !== undefined && findings.length === 0) cluster = declared(result.data, source, absolute)
  } else if (findings.length === 0) {
    const { message, hint } = wording.notMapping(source.data)
    findings.push({ rule: 'not-a-cluster-file', severity: 'error', message, hint, place: source.start })
  }
  return { cluster, findings: inOrderOfFile(findings), locate }
}

function declared(file: ClusterFile, source: YamlSource, path: string): DeclaredCluster {
  const absolute = (written: string) => resolve(dirname(path), written)
  const common = parameterTexts(source, file.parameters, ['parameters'])
  const nodes = file.nodes.map((node, index): DeclaredNode => {
    const own = parameterTexts(source, node.parameters, ['nodes', index, 'parameters'])
    return {
      name: node.name,
      host: node.host,
      port: node.port,
      data: absolute(node.data),
      ...(node.follows === undefined ? {} : { follows: node.follows }),
      ...(node.via === undefined ? {} : { via: parseHostAndPort(node.via) }),
      startsAs: node.primary ? 'primary' : 'standby',
      parameters: Object.fromEntries([...common, ...own]),
    }
  })
  return {
    name: file.cluster,
    file: path,
    postgres: {
      version: file.postgres.version as ServerVersionMajor,
      bin: file.postgres.bin === undefined ? undefined : absolute(file.postgres.bin),
    },
    nodes,
    replication: file.replication,
    baseBackup: baseBackupOf(file.base_backup),
    allow: file.allow,
    ...(file.archive === undefined ? {} : { archive: { directory: absolute(file.archive.directory) } }),
    passfile: absolute(file.passfile),
  }
}

function baseBackupOf({ max_rate: rate, ...rest }: ClusterFile['base_backup']): DeclaredBaseBackup {
  return { ...rest, maxRateKb: rate === undefined ? undefined : baseBackupRateKb(rate) }
}

/**
 * Parameters as PostgreSQL reads them. A number keeps the form that it is written in: `0600` is octal to PostgreSQL,
 * and 600 is not.
 */
function parameterTexts(
  source: YamlSource,
  values: ClusterFile['parameters'],
  path: DataPath,
): (readonly [string, string])[] {
  return Object.entries(values ?? {}).map(([name, value]) => {
    if (typeof value === 'boolean') return [name.toLowerCase(), value ? 'on' : 'off']
    if (typeof value === 'number') return [name.toLowerCase(), source.writtenText([...path, name]) ?? String(value)]
    return [name.toLowerCase(), value]
  })
}

/** The path as the file spells it: `Work_Mem` where `work_mem` is asked for. */
function writtenPath(data: unknown, path: DataPath): DataPath {
  const { value: holder } = valueAt(data, path.slice(0, -1))
  const name = path.at(-1)
  if (path.at(-2) !== 'parameters' || typeof name !== 'string' || !isMapping(holder)) return path
  const written = Object.keys(holder).find((key) => key.toLowerCase() === name.toLowerCase())
  return written === undefined ? path : [...path.slice(0, -1), written]
}

function inOrderOfFile(findings: readonly Finding[]): Finding[] {
  const position = ({ place }: Finding) =>
    place === undefined ? Number.POSITIVE_INFINITY : place.line * 1_000_000 + place.column
  return findings.toSorted((a, b) => position(a) - position(b))
}
