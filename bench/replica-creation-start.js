// @ts-check
// A process of bench/replica-creation.js: node bench/replica-creation-start.js <joined file> <arguments of receive>...
// Starts as bin/maestra.js does.
import { loadWithKeptCode } from '../packages/maestra/bin/kept-code.js'

Object.assign(globalThis, { navigator: globalThis.navigator ?? { userAgent: `Node.js/${process.versions.node}` } })
const [file = '', ...args] = process.argv.slice(2)
await loadWithKeptCode(file, () => true)['receive'](args)
