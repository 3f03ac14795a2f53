import { isAbsolute, join } from 'node:path'
import type { Account, Host } from '../host/host.js'

/** What a server cannot start without once ssl is on; the last one only where it is set. */
const fileSettings = ['ssl_cert_file', 'ssl_key_file', 'ssl_ca_file'] as const

export type CertificateOptions = {
  /** Whose server it is. */
  readonly account: Account
  /** Where relative paths begin; undefined when that is not there yet. */
  readonly directory: string | undefined
  /** What a setting is by all files that count. */
  readonly told: (name: 'ssl' | (typeof fileSettings)[number]) => Promise<string>
}

/**
 * What keeps a server with ssl from its next start, and what to do; undefined when ssl is off, or nothing does. A reload takes
 * `ssl: on` without certificate all the same, `show ssl` says on, and only the log complains.
 */
export async function missingCertificate(host: Host, options: CertificateOptions): Promise<string | undefined> {
  const { directory, told } = options
  if ((await told('ssl')) !== 'on') return undefined
  for (const setting of fileSettings) {
    const value = await told(setting)
    if (value === '') continue
    const path = isAbsolute(value) || directory === undefined ? value : join(directory, value)
    const wrong = isAbsolute(path)
      ? await wrongWith(host, options, setting, path)
      : 'is no whole path, and the data directory is not there yet; declare whole paths, or ssl once the files are in it'
    if (wrong !== undefined) return `"ssl" is on, and ${path} (${setting}) ${wrong}`
  }
  return undefined
}

async function wrongWith(
  host: Host,
  { account }: CertificateOptions,
  setting: string,
  path: string,
): Promise<string | undefined> {
  const target = await host.files.realPath(path)
  const found = target === undefined ? undefined : await host.files.stat(target)
  if (found === undefined) return `is not there; put it there, or declare its path as ${setting}`
  if (setting !== 'ssl_key_file') return undefined
  // As check_ssl_key_file_permissions in be-secure-common.c has it.
  if (found.uid !== account.uid && found.uid !== 0) return 'belongs to another account; give it to that of the server'
  const tooMuch = found.uid === account.uid ? 0o077 : 0o027
  return (found.mode & tooMuch) === 0 ? undefined : `may be read by others; take that away: chmod 600 ${path}`
}
