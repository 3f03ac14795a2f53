import { join } from 'node:path'
import { Secret } from '@maestra/client/base/secret'
import { hasInclude, withInclude } from '@maestra/client/postgres/conf'
import { hbaBlockLine, hbaBlockOf, withHbaBlock } from '@maestra/client/postgres/hba'
import { type NodeConfiguration, nodePassfile, settingsFile } from '../cluster/node-configuration.js'
import type { DataDirectory } from '../cluster/observation.js'
import type { Account, Host } from '../host/host.js'
import { readSettingsAbove } from './settings-above.js'

/**
 * Writes Maestra's files into a data directory: its settings file, one include line, one block of pg_hba.conf, the
 * passfile.
 */
export async function writeNodeFiles(
  host: Host,
  directory: string,
  account: Account,
  configuration: NodeConfiguration,
  passfile: Secret | undefined,
): Promise<void> {
  const { files } = host
  const options = { mode: 0o600, owner: account }
  await edit(host, join(directory, 'postgresql.conf'), (text) => withInclude(text, settingsFile), account)
  await edit(host, join(directory, 'pg_hba.conf'), (text) => withHbaBlock(text, configuration.hbaLines), account)
  if (passfile !== undefined) {
    // Made anew rather than kept with its mode: one that others may read is ignored by the server.
    await files.removeFile(join(directory, nodePassfile))
    await files.write(join(directory, nodePassfile), passfile.reveal(), options)
  }
  // The last, and always: its time tells whether a running server has read the files since.
  await files.write(join(directory, settingsFile), configuration.settings, options)
}

/** What writeNodeFiles would find. */
export async function readNodeFiles(host: Host, directory: string): Promise<DataDirectory['configuration']> {
  const { files } = host
  const written = await files.stat(join(directory, settingsFile))
  const isPrivate = ((await files.stat(join(directory, nodePassfile)))?.mode ?? 0) % 0o100 === 0
  const [conf, settings, hba, passfile] = await Promise.all(
    ['postgresql.conf', settingsFile, 'pg_hba.conf', nodePassfile].map((name) => files.readText(join(directory, name))),
  )
  return {
    included: hasInclude(conf ?? '', settingsFile),
    settings,
    settingsWrittenAtMs: written?.mtimeMs,
    hbaBlock: hbaBlockOf(hba ?? ''),
    hbaBlockLine: hbaBlockLine(hba ?? ''),
    settingsAbove: await readSettingsAbove(host, directory, conf ?? ''),
    passfile: passfile === undefined || !isPrivate ? undefined : new Secret(passfile),
  }
}

async function edit(host: Host, path: string, change: (text: string) => string, account: Account): Promise<void> {
  // Comments may be in any encoding. As latin1 each byte is kept; what is added is ASCII.
  const before = (await host.files.readBytes(path))?.toString('latin1') ?? ''
  const after = change(before)
  if (after !== before) await host.files.write(path, Buffer.from(after, 'latin1'), { mode: 0o600, owner: account })
}
