import { MaestraError } from '@maestra/client/base/error'
import type { Command } from 'commander'
import { type DeclaredCluster, type DeclaredNode, followersOf, upstreamOf } from '../../cluster/declared-cluster.js'
import { commentAbove, withoutNode } from '../../cluster/without-node.js'
import { observeProcess } from '../../server/postmaster.js'
import { fileOption, readCluster } from '../cluster-file.js'
import { clusterSite } from '../cluster-site.js'
import { editClusterFile } from '../edit-cluster-file.js'
import { removedView } from '../views/edit-view.js'

type Options = { readonly file?: string }

export function addRemove(program: Command): void {
  program
    .command('remove')
    .description('take a replica out of the cluster file; its data stay, its slot is dropped by the next apply')
    .argument('<node>', 'its name')
    .option(...fileOption)
    .action(remove)
}

async function remove(name: string, options: Options): Promise<void> {
  const { cluster, text } = await readCluster(options.file)
  const node = replicaNamed(cluster, name)
  const after = await editClusterFile(cluster, withoutNode(text, name), {
    node: name,
    byHand: `take it out below nodes in ${cluster.file}`,
  })
  const { host } = clusterSite()
  const server = await observeProcess(host, node.data)
  const hasData = (await host.files.stat(node.data).catch(() => null)) !== undefined
  const upstream = upstreamOf(cluster, node)?.name ?? ''
  const comment = commentAbove(text, name)
  process.stdout.write(removedView(after, { node, upstream, process: server, hasData, comment, file: options.file }))
}

function replicaNamed(cluster: DeclaredCluster, name: string): DeclaredNode {
  const node = cluster.nodes.find((each) => each.name === name)
  if (node === undefined) {
    const names = cluster.nodes.map((each) => each.name).join(', ')
    throw new MaestraError('bad-usage', `cluster ${cluster.name} has no node ${name}; it has ${names}`)
  }
  if (node.startsAs === 'primary') {
    throw new MaestraError(
      'bad-usage',
      `${name} is declared as the primary of cluster ${cluster.name}: only a replica can be removed`,
    )
  }
  const followers = followersOf(cluster, node).map((each) => each.name)
  if (followers.length === 0) return node
  throw new MaestraError(
    'bad-usage',
    `${followers.join(' and ')} ${followers.length === 1 ? 'follows' : 'follow'} ${name}`,
    {
      hint: `let ${followers.length === 1 ? 'it' : 'them'} follow another node first: \`follows\` in ${cluster.file}, then: maestra apply`,
    },
  )
}
