import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import type { DeclaredCluster } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { type InitialCluster, initialCluster, initialClusterText } from '../../cluster/initial-cluster-text.js'
import { LocalHost } from '../../host/local/local-host.js'
import { checkedCluster, clusterFilePath } from '../cluster-file.js'
import type { CommandContext } from '../command-context.js'
import { wholeNumber } from '../option-values.js'
import { openQuestions, type Questions } from '../questions.js'
import { terminal } from '../terminal.js'
import { createdView } from '../views/edit-view.js'
import { findingsView } from '../views/finding-view.js'

type Options = Partial<InitialCluster> & { readonly file?: string }

export function addInit(program: Command, context: CommandContext): void {
  program
    .command('init')
    .description('write a first cluster file, with comments; asks on a terminal when no option says what is in it')
    .option('-f, --file <file>', 'the file to write (default: $MAESTRA_FILE, else maestra.yaml in this directory)')
    .option('--cluster <name>', `the name of the cluster (default: ${initialCluster.cluster})`)
    .option('--pg <major>', `the major version of PostgreSQL (default: ${initialCluster.pg})`)
    .option('--replicas <number>', `how many replicas (default: ${initialCluster.replicas})`, wholeNumber)
    .option('--port <port>', `the port of the first node; the others count up (default: ${initialCluster.port})`)
    .option('--data <directory>', `where the data directories are (default: ${initialCluster.data})`)
    .action((options: Options) => init(options, context.signal))
}

async function init({ file: option, ...given }: Options, signal: AbortSignal): Promise<void> {
  const file = clusterFilePath(option)
  const { files } = new LocalHost()
  if ((await files.stat(file)) !== undefined) throw isThere(file)
  const asks = Object.keys(given).length === 0 && process.stdin.isTTY && process.stdout.isTTY
  const wanted = asks ? await askFor(file, signal) : { ...initialCluster, ...given }
  const cluster = checked(wanted, file)
  signal.throwIfAborted()
  if (!(await files.create(file, initialClusterText(wanted), { mode: 0o644 }))) throw isThere(file)
  process.stdout.write(createdView(cluster, option))
}

function isThere(file: string): MaestraError {
  return new MaestraError('bad-usage', `${file} is there already; it was not changed`, {
    hint: 'name another file: maestra init --file <file>',
  })
}

function checked(wanted: InitialCluster, file: string): DeclaredCluster {
  const { cluster, findings } = check(wanted, file)
  if (cluster !== undefined && findings.length === 0) return cluster
  process.stderr.write(findingsView(findings, terminal(process.stderr)))
  throw new MaestraError('bad-usage', `${file} was not written`, { hint: 'maestra init --help' })
}

/** What would be wrong with the file. It has no lines to show yet. */
function check(wanted: InitialCluster, file: string) {
  const { cluster, findings } = checkedCluster(initialClusterText(wanted), file)
  const errors = findings.filter((finding) => finding.severity === 'error')
  return { cluster, findings: errors.map((finding): Finding => ({ ...finding, place: undefined })) }
}

const questions: readonly (readonly [keyof InitialCluster, string])[] = [
  ['cluster', 'Name of the cluster'],
  ['pg', 'Major version of PostgreSQL'],
  ['replicas', 'Number of replicas'],
  ['port', 'Port of the first node'],
  ['data', 'Directory for the data'],
]

async function askFor(file: string, signal: AbortSignal): Promise<InitialCluster> {
  const asked = openQuestions(signal)
  try {
    process.stdout.write(`This writes ${file}. Enter takes what stands in brackets.\n\n`)
    let wanted = initialCluster
    for (const [key, words] of questions) wanted = await answered(asked, wanted, key, words, file)
    return wanted
  } finally {
    asked.close()
  }
}

/** Asks again while the answer is none. */
async function answered(
  asked: Questions,
  wanted: InitialCluster,
  key: keyof InitialCluster,
  words: string,
  file: string,
): Promise<InitialCluster> {
  for (;;) {
    const answer = await asked.ask(`${words} [${wanted[key]}] `)
    if (answer === '') return wanted
    if (key === 'replicas' && !/^\d{1,3}$/.test(answer)) {
      process.stdout.write('It must be a whole number.\n')
      continue
    }
    const next = { ...wanted, [key]: key === 'replicas' ? Number(answer) : answer }
    const { findings } = check(next, file)
    if (findings.length === 0) return next
    process.stdout.write(findingsView(findings, terminal(process.stdout)))
  }
}
