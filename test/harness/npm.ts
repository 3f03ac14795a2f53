import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Workspace } from './workspace.js'

/** What npm is told by whoever runs the tests, beside its command line: where it fetches from, and how. */
const passedOn = /^(npm_config_(cache|cafile|registry|userconfig)|node_extra_ca_certs|(https?|no|all)_?proxy)$/i

/** So much more than an install takes, so that only one that hangs is ended. */
const endsWithinMs = 240_000

/** Node.js of the tests before all else. */
export const nodePath = [dirname(process.execPath), '/usr/bin', '/bin'].join(delimiter)

/** What is in the cache is not asked for; where nobody answers, that is said soon. */
const options = [
  '--prefer-offline',
  '--fetch-retry-mintimeout=1000',
  '--fetch-retry-maxtimeout=5000',
  '--no-audit',
  '--no-fund',
  '--no-update-notifier',
]

/**
 * Runs npm in a folder, with a home that holds nothing; its output. The cache is that of whoever runs the tests: `npm ci` of
 * this clone has put there all that is large. What it has not put there, descriptions of packages, is fetched once.
 */
export async function npm(workspace: Workspace, cwd: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('npm', [...args, ...options], {
    cwd,
    env: environment(workspace),
    timeout: endsWithinMs,
    maxBuffer: 16 * 1024 * 1024,
  })
  return stdout
}

function environment(workspace: Workspace): NodeJS.ProcessEnv {
  const given = Object.entries(process.env).filter(([name, value]) => passedOn.test(name) && value)
  const path = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return { ...npmFiles(), ...Object.fromEntries(given), HOME: workspace.env['HOME'], PATH: path }
}

/** As npm finds them where it is run outside of `npm test`. A home may be named that is none. */
function npmFiles(): NodeJS.ProcessEnv {
  const cache = join(homedir(), '.npm')
  const userconfig = join(homedir(), '.npmrc')
  return {
    ...(existsSync(cache) && { npm_config_cache: cache }),
    ...(existsSync(userconfig) && { npm_config_userconfig: userconfig }),
  }
}
