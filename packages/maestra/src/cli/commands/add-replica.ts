import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { newReplica } from '../../cluster/new-replica.js'
import { nodeText, withNode } from '../../cluster/with-node.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { editClusterFile } from '../edit-cluster-file.js'
import { wholeNumber } from '../option-values.js'
import { addedView } from '../views/edit-view.js'

type Options = {
  readonly file?: string
  readonly host?: string
  readonly port?: number
  readonly data?: string
  readonly follows?: string
}

export function addAddReplica(add: Command): void {
  add
    .command('replica')
    .description('write one more replica into the cluster file; all else in it stays')
    .argument('<name>', 'the name of the new node')
    .option(...fileOption)
    .option('--host <host>', 'where it can be reached (default: as the primary)')
    .option('--port <port>', 'where it listens (default: the port after those of the nodes there)', wholeNumber)
    .option('--data <directory>', 'its data directory (default: beside that of the last node)')
    .option('--follows <node>', 'whose WAL it receives (default: that of the primary)')
    .action(addReplica)
}

async function addReplica(name: string, options: Options): Promise<void> {
  const { cluster, text } = await readCluster(options.file)
  if (cluster.nodes.some((node) => node.name === name)) {
    const names = cluster.nodes.map((node) => node.name).join(', ')
    throw new MaestraError('bad-usage', `cluster ${cluster.name} has a node ${name} already`, {
      hint: `choose a name that is none of ${names}`,
    })
  }
  const node = newReplica(cluster, text, name, options)
  const after = await editClusterFile(cluster, withNode(text, node), {
    node: name,
    byHand: `add it below nodes in ${cluster.file}: ${nodeText(node)}`,
  })
  process.stdout.write(addedView(after, name, options.file))
}
