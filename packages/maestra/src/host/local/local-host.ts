import type { Host } from '../host.js'
import { LocalFiles } from './local-files.js'
import { LocalNetwork } from './local-network.js'
import { LocalProcesses } from './local-processes.js'

/** The machine that Maestra itself runs on. */
export class LocalHost implements Host {
  readonly name = 'this machine'
  readonly files = new LocalFiles()
  readonly processes = new LocalProcesses()
  readonly network = new LocalNetwork()
}
