import type { Host } from '../host.js'
import { LocalFiles } from './local-files.js'
import { LocalNetwork } from './local-network.js'
import { LocalProcesses } from './local-processes.js'

/**
 * The machine that Maestra itself runs on. Without `sync` its files are not waited for to reach the disk: for
 * throw-away servers.
 */
export class LocalHost implements Host {
  readonly name = 'this machine'
  readonly files: LocalFiles
  readonly processes = new LocalProcesses()
  readonly network = new LocalNetwork()

  constructor(options: { readonly sync: boolean } = { sync: true }) {
    this.files = new LocalFiles(options.sync)
  }
}
