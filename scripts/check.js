// @ts-check
// npm run check: every check side by side; one line for each, and the whole output of those that failed.
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const colours = process.stdout.isTTY && !process.env['NO_COLOR']

/** @typedef {{ title: string, script: string, args: string[] }} Check */

const tsc = 'node_modules/typescript/bin/tsc'
const biome = 'node_modules/@biomejs/biome/bin/biome'
const knip = 'node_modules/knip/bin/knip.js'
const knipArgs = ['--no-progress', '--no-config-hints']
const biomeArgs = ['--error-on-warnings', '--max-diagnostics=200', `--colors=${colours ? 'force' : 'off'}`]

/** First, since Biome and knip see the other package through its dist. @type {Check} */
const build = { title: 'build', script: 'scripts/build.js', args: [] }

/** @type {Check[]} */
const checks = [
  { title: 'types', script: tsc, args: ['-p', 'tsconfig.json'] },
  { title: 'format and lint', script: biome, args: ['ci', ...biomeArgs, '.'] },
  { title: 'arrows between rooms', script: 'scripts/check-arrows.js', args: [] },
  { title: 'dead code and dependencies', script: knip, args: knipArgs },
  // What only a test uses is dead weight in the package; an export that is there for a test says @internal.
  { title: 'the same without tests', script: knip, args: [...knipArgs, '--production', '--strict'] },
]

const passed = [await run(build), ...(await Promise.all(checks.map(run)))]
process.exitCode = passed.every(Boolean) ? 0 : 1

/** Runs one check and reports it. @param {Check} check @returns {Promise<boolean>} */
async function run({ title, script, args }) {
  const startedAt = performance.now()
  const { status, output } = await outcome(script, args)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  if (status === 0) console.log(`ok      ${title} (${seconds} s)`)
  else
    console.log(
      `\nFAILED  ${title} (${seconds} s, ${status}): node ${[script, ...args].join(' ')}\n${output.trimEnd()}\n`,
    )
  return status === 0
}

/** @param {string} script @param {string[]} args @returns {Promise<{ status: number | string, output: string }>} */
function outcome(script, args) {
  return new Promise((done) => {
    let output = ''
    const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text
      })
    }
    child.on('error', (error) => done({ status: error.message, output }))
    child.on('close', (code, signal) => done({ status: code ?? signal ?? 'no status', output }))
  })
}
