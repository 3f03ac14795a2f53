// @ts-check
// One copy of bench/replica-creation.js, as a process of its own:
//   node bench/replica-creation-receive.js <port> <major> <directory> <account> <sync> <verify>
// with the password of `replicator` in PGPASSWORD. Prints the most memory that the process had, in MB.
import { Secret } from '../packages/client/dist/base/secret.js'
import { LocalHost } from '../packages/maestra/dist/host/local/local-host.js'
import { receiveBaseBackup } from '../packages/maestra/dist/server/base-backup/receive-base-backup.js'
import { connect } from '../packages/maestra/dist/server/connection.js'

const [port = '', major = '', directory = '', accountName = '', sync = '', verify = ''] = process.argv.slice(2)
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
