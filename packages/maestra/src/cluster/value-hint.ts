import { isHbaWord, isWildcardAddress } from './address.js'
import { isBaseBackupRate } from './base-backup-rate.js'

/**
 * What to write instead of a value that is often written by mistake; undefined when there is no telling. `at` is a
 * path such as `nodes[].port`.
 */
export function valueHint(at: string, value: unknown, written: string | undefined): string | undefined {
  if (typeof value === 'object') return undefined
  const text = typeof value === 'string' ? value : (written ?? String(value))
  switch (at) {
    case 'postgres.version':
      return versionHint(value, text)
    case 'nodes[].port':
      return typeof value === 'string' && /^\d+$/.test(value) ? `write it without quotes: ${value}` : undefined
    case 'nodes[].primary':
      return typeof value === 'string' && /^(on|yes|y|true)$/i.test(value) ? 'write `true`' : undefined
    case 'cluster':
    case 'nodes[].name':
    case 'nodes[].follows':
      return typeof value === 'string' ? nameHint(value) : undefined
    case 'nodes[].host':
      return hostHint(text)
    case 'nodes[].data':
    case 'postgres.bin':
    case 'passfile':
    case 'archive.directory':
      return text.startsWith('~') ? '`~` is not replaced by the home directory; write the whole path' : undefined
    case 'replication.role':
      return text === 'postgres'
        ? 'standbys log in with a role that can do nothing else; `replicator` is the default'
        : undefined
    case 'base_backup.max_rate':
      return rateHint(text)
    case 'allow':
      return typeof value === 'string' ? `write it as a list: [${value}]` : undefined
    case 'allow[]':
      return isHbaWord(text) ? 'for everybody, write 0.0.0.0/0 and ::/0' : undefined
    default:
      return undefined
  }
}

function versionHint(value: unknown, text: string): string | undefined {
  const major = /^(\d+)\.\d+$/.exec(text)?.[1]
  if (major !== undefined) return `write the major version alone: ${major}`
  return typeof value === 'string' && /^\d+$/.test(value) ? `write it without quotes: ${value}` : undefined
}

function rateHint(text: string): string | undefined {
  const [, digits, unit = ''] = /^(\d+) *([a-z]*?)(?:\/s|ps)?$/i.exec(text) ?? []
  if (digits === undefined) return undefined
  const units: Readonly<Record<string, string>> = { '': 'kB', k: 'kB', kb: 'kB', m: 'MB', mb: 'MB', g: 'GB', gb: 'GB' }
  const known = units[unit.toLowerCase()]
  const rate = `${digits}${known}`
  if (known === undefined || !isBaseBackupRate(rate)) return undefined
  return unit === '' ? `write the unit: ${rate}` : `write it as ${rate}`
}

function nameHint(text: string): string | undefined {
  const plain = text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  const suggestion = plain
    .replace(/[^a-z0-9_-]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 63)
  return suggestion === '' ? undefined : `for example \`${suggestion}\``
}

function hostHint(text: string): string | undefined {
  if (isWildcardAddress(text)) return 'that is where a server listens; declare it as the parameter `listen_addresses`'
  if (/^\[.*\]$/.test(text)) return 'write an IPv6 address without brackets'
  if (/^[^:]+:\d+$/.test(text)) return 'declare the port as `port`'
  return text.startsWith('/')
    ? 'a socket directory is no address; declare it as the parameter `unix_socket_directories`'
    : undefined
}
