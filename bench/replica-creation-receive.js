// @ts-check
// One copy of bench/replica-creation.js, which joins this and all that it imports in one file, as the command line is joined.
import { Secret } from '../packages/client/dist/base/secret.js'
import { LocalHost } from '../packages/maestra/dist/host/local/local-host.js'
import { receiveBaseBackup } from '../packages/maestra/dist/server/base-backup/receive-base-backup.js'
import { connect } from '../packages/maestra/dist/server/connection.js'

/**
 * With the password of `replicator` in PGPASSWORD. Prints the most memory that the process had, in MB.
 * @param {readonly string[]} args port, major version, directory, account, whether to sync, whether to verify
 */
export async function receive([port = '', major = '', directory = '', accountName = '', sync = '', verify = '']) {
  const host = new LocalHost({ sync: true })
  const owner = await host.processes.account(accountName)
  const login = { node: 'db1', host: '127.0.0.1', port: Number(port), user: 'replicator', replication: true }
  await receiveBaseBackup({
    connect: () => connect({ ...login, password: new Secret(process.env['PGPASSWORD'] ?? '') }),
    major: Number(major),
    label: 'bench',
    checkpoint: 'fast',
    verify: verify === 'true',
    tree: host.files.fillTree(directory, { owner, sync: sync === 'true' }),
  })
  process.stdout.write(`${Math.round((process.resourceUsage().maxRSS * 1024) / 1e6)}\n`)
}
