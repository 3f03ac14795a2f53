import { stringify } from 'yaml'
import type { Authentication, DeclaredBaseBackup } from './declared-cluster.js'

/** What a cluster file can say, as plain data; what is left out takes its default when the file is loaded. */
export type ClusterDeclaration = {
  readonly cluster: string
  readonly version: number
  readonly bin?: string | undefined
  readonly nodes: readonly NodeDeclaration[]
  readonly replication?:
    | { readonly role?: string | undefined; readonly authentication?: Authentication | undefined }
    | undefined
  readonly baseBackup?: BaseBackupDeclaration | undefined
  readonly allow?: readonly string[] | undefined
  readonly archive?: { readonly directory: string } | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
  readonly passfile?: string | undefined
}

type BaseBackupDeclaration = {
  readonly with?: DeclaredBaseBackup['with'] | undefined
  readonly checkpoint?: DeclaredBaseBackup['checkpoint'] | undefined
  /** `50MB` */
  readonly max_rate?: string | undefined
  readonly verify?: boolean | undefined
}

export type NodeDeclaration = {
  readonly name: string
  readonly host?: string | undefined
  readonly port?: number | undefined
  readonly data: string
  /** The name of a node. */
  readonly follows?: string | undefined
  /** `host:port` */
  readonly via?: string | undefined
  readonly primary?: boolean | undefined
  readonly parameters?: Readonly<Record<string, string>> | undefined
}

/** The text of a maestra.yaml that says exactly this. */
export function clusterFileText(declaration: ClusterDeclaration): string {
  const { cluster, version, bin, nodes, replication, baseBackup, allow, archive, parameters, passfile } = declaration
  const file = {
    cluster,
    postgres: { version, bin },
    nodes: nodes.map(({ name, host, port, data, follows, via, primary, parameters: own }) => ({
      name,
      host,
      port,
      data,
      follows,
      via,
      primary: primary === true ? true : undefined,
      parameters: parameterValues(own),
    })),
    replication,
    base_backup: baseBackup,
    allow: allow === undefined || allow.length === 0 ? undefined : allow,
    archive,
    parameters: parameterValues(parameters),
    passfile,
  }
  // No line is folded: a path or a command stays one line that can be searched for.
  return stringify(file, { version: '1.2', lineWidth: 0, aliasDuplicateObjects: false })
}

function parameterValues(
  parameters: Readonly<Record<string, string>> | undefined,
): Record<string, string | number> | undefined {
  const entries = Object.entries(parameters ?? {})
  if (entries.length === 0) return undefined
  return Object.fromEntries(entries.map(([name, value]) => [name, plainNumber(value) ?? value]))
}

/** Numbers go into the file without quotes, when they are read back as the same text. */
function plainNumber(value: string): number | undefined {
  const number = Number(value)
  return Number.isFinite(number) && String(number) === value ? number : undefined
}
