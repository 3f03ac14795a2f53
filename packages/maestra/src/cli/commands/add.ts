import type { Command } from 'commander'
import { addAddReplica } from './add-replica.js'

export function addAdd(program: Command): void {
  const add = program.command('add').description('add to the cluster file')
  addAddReplica(add)
}
