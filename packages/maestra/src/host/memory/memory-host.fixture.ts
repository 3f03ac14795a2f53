import type { Account, Host } from '../host.js'
import { MemoryFiles } from './memory-files.fixture.js'
import { MemoryNetwork } from './memory-network.fixture.js'
import type { MemoryProcess } from './memory-process.fixture.js'
import { MemoryProcesses } from './memory-processes.fixture.js'
import { MemoryTree } from './memory-tree.fixture.js'

export const root: Account = { name: 'root', uid: 0, gid: 0 }
const nobody: Account = { name: 'nobody', uid: 65_534, gid: 65_534 }

/**
 * A machine in memory: a tree of files, programs that are functions, and ports. It keeps what Host promises, so that tests
 * can be any account, hold a moment still, and see what an operation did.
 */
export class MemoryHost implements Host {
  readonly name = 'a machine in memory'
  /** The files as the system sees them, for what a test arranges. */
  readonly tree = new MemoryTree()
  readonly files: MemoryFiles
  readonly processes: MemoryProcesses
  readonly network: MemoryNetwork

  /** `turn`: what each step of an operation waits for, so that a test can say who goes first. */
  constructor(
    options: {
      readonly self?: Account
      readonly addresses?: readonly string[]
      readonly turn?: () => Promise<void>
    } = {},
  ) {
    const { self = root, addresses = [], turn = nextTurn } = options
    const { tree } = this
    const taken = new Map<number, MemoryProcess>()
    for (const path of ['/bin', '/usr', '/usr/bin', '/tmp']) tree.create(path, { kind: 'directory', mode: 0o755 }, root)
    tree.chmod('/tmp', 0o1777, root)
    const accounts = [root, nobody, ...([root.uid, nobody.uid].includes(self.uid) ? [] : [self])]
    this.files = new MemoryFiles(tree, self, turn)
    this.processes = new MemoryProcesses({ tree, self, accounts, turn, ports: taken })
    this.network = new MemoryNetwork({ own: addresses, taken, turn })
  }
}

async function nextTurn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
