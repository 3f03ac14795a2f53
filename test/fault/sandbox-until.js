// @ts-check
// node sandbox-until.js '{"replicas": 1, "kill": {"at": "before link sandboxes/sandbox.json"}}': starts a sandbox, takes it down again, and
// kills itself at that moment. Without `kill` it prints, as JSON, every moment that there was.
import childProcess from 'node:child_process'
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** @typedef {{ at: string, laterMs?: number, by?: 'SIGKILL' | 'process.exit' }} Kill What to end at, or so much later; by SIGKILL. */

const { replicas, kill } = /** @type {{ replicas: number, kill?: Kill }} */ (JSON.parse(process.argv[2] ?? ''))
const cache = process.env['MAESTRA_CACHE'] ?? ''

/** @type {string[]} */
const moments = []
/** How often each effect was. @type {Map<string, number>} */
const counts = new Map()

/** @param {string} at */
function reach(at) {
  moments.push(at)
  if (kill?.at !== at) return
  if (kill.laterMs === undefined) die()
  else setTimeout(die, kill.laterMs)
}

function die() {
  if (kill?.by === 'process.exit') process.exit(7)
  process.kill(process.pid, 'SIGKILL')
}

/** What differs from one run to the next stands as `*`, and the files of a data directory in the making are one. @param {unknown} path */
function inWords(path) {
  return String(path)
    .replace(`${cache}/`, '')
    .replace(/-[0-9a-f]{8,}\b/g, '-*')
    .replace(/(\/data-\*|\/native|\.building-[\d-]+\/(?:data|scratch))\/.*/, '$1/…')
    .replace(/(\.(?:maestra|building|probe))-\d+(-\d+)?/g, '$1-*')
    .replace(/\b\d{5}\b/g, '*')
}

/** A moment before and one after the effect. @param {string} effect @param {() => any} act */
function watched(effect, act) {
  const number = (counts.get(effect) ?? 0) + 1
  counts.set(effect, number)
  const name = number === 1 ? effect : `${effect} (${number})`
  reach(`before ${name}`)
  const result = act()
  if (result instanceof Promise) return result.finally(() => reach(`after ${name}`))
  setImmediate(reach, `after ${name}`)
  return result
}

const patched = /** @type {any} */ (files)
for (const key of ['mkdir', 'open', 'link', 'rename', 'rm', 'chmod', 'copyFile', 'symlink', 'lchown']) {
  const method = patched[key]
  patched[key] = (/** @type {any[]} */ ...args) => {
    const target = ['link', 'rename', 'copyFile', 'symlink'].includes(key) ? args[1] : args[0]
    // To read a file changes nothing.
    if (key === 'open' && args[1] === 'r') return method(...args)
    return watched(`${key} ${inWords(target)}`, () => method(...args))
  }
}
const { spawn } = childProcess
childProcess.spawn = /** @type {any} */ (
  (/** @type {string} */ program, /** @type {string[]} */ args, /** @type {any} */ options) => {
    const words = [program, ...args.slice(0, 2)].map((word) => word.replace(/^.*\//, ''))
    return watched(`spawn ${words.join(' ')}`, () => spawn(program, args, options))
  }
)
syncBuiltinESMExports()

const { startSandbox } = await import('../../packages/maestra/dist/sandbox/start-sandbox.js')
const sandbox = await startSandbox({
  replicas,
  onEvent: ({ kind, step }) => {
    if (kind !== 'step-progressed') reach(`${kind} ${step.kind}${'node' in step ? ` ${step.node}` : ''}`)
  },
})
reach('up')
await sandbox.stop()
if (kill === undefined) process.stdout.write(JSON.stringify(moments))
