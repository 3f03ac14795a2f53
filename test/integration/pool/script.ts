import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type pg from 'pg'
import type { Subject } from './subject.js'

type ScriptRun = { readonly code: number; readonly stdout: string; readonly stderr: string }

/**
 * Runs lines of a module in a process of their own, where `pool` is one of the subject's, `Pool` its class and `connection`
 * what reaches the servers. One that does not end by itself is killed after 20 s, and has code -1.
 */
export async function runScript(subject: Subject, body: string, options: pg.PoolConfig = {}): Promise<ScriptRun> {
  const { connection } = subject.servers()
  const module = `${subject.imports}
    const connection = JSON.parse(process.env.CONNECTION)
    const pool = new Pool({ ...connection, ...JSON.parse(process.env.OPTIONS) })
    ${body}`
  const env = { PATH: '/usr/bin:/bin', CONNECTION: JSON.stringify(connection), OPTIONS: JSON.stringify(options) }
  return await new Promise((resolve) => {
    const args = ['--input-type=module', '-e', module]
    const cwd = fileURLToPath(new URL('.', import.meta.url))
    execFile(process.execPath, args, { env, cwd, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}
