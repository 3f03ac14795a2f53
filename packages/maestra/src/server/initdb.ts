import { join } from 'node:path'
import { MaestraError } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import { superuser } from '../cluster/declared-cluster.js'
import type { Account, Host } from '../host/host.js'
import type { Binaries } from './binaries.js'

export type InitdbOptions = {
  readonly binaries: Binaries
  readonly account: Account
  /** An empty directory of the account. */
  readonly directory: string
  /** A directory of the account where the password may stand for as long as initdb runs. */
  readonly scratch: string
  readonly password: Secret
  readonly signal?: AbortSignal | undefined
}

/** A new data directory with checksums, whose every way in asks for a password. Synced by the caller. */
export async function initdb(host: Host, options: InitdbOptions): Promise<void> {
  const { binaries, account, directory, scratch, password, signal } = options
  const passwordFile = join(scratch, 'password')
  await host.files.write(passwordFile, `${password.reveal()}\n`, { mode: 0o600, owner: account })
  const program = join(binaries.directory, 'initdb')
  const result = await host.processes.run(
    program,
    [
      `--pgdata=${directory}`,
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--data-checksums',
      '--encoding=UTF8',
      ...localeArguments(binaries.version.major),
      '--no-sync',
      '--no-instructions',
    ],
    { account, signal },
  )
  await host.files.removeFile(passwordFile)
  if (result.exitCode !== 0) {
    throw new MaestraError(
      'command-failed',
      `${program} failed for ${directory}: ${causeIn(`${result.stdout}\n${result.stderr}`)}`,
    )
  }
}

/**
 * The built-in C.UTF-8 sorts alike on every host, whatever its C library: an index of the primary is right on its standbys.
 * It exists since 17; before, the C library's own is the nearest.
 */
function localeArguments(major: number): readonly string[] {
  return major >= 17 ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C'] : ['--locale=C.UTF-8']
}

/** The lines that say why; what it cleans up afterwards is not the cause. */
function causeIn(output: string): string {
  const lines = output.trim().split('\n')
  const telling = lines.filter((line) => /\b(FATAL|PANIC|ERROR|error|could not|invalid)\b/.test(line))
  return (telling.length > 0 ? telling : lines).slice(-2).join('; ') || 'it said nothing'
}
