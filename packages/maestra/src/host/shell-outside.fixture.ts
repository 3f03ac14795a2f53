import type { Host } from './host.js'
import type { Outside } from './host-bench.fixture.js'
import { shellCommand } from './suite-programs.fixture.js'

/** Arranges by the shell of the host, which is not the code that is under test. */
export function shellOutside(host: Host): Outside {
  const run = async (script: string, ...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await host.processes.run('/bin/sh', ['-c', script, 'sh', ...args], {})
    if (exitCode !== 0) throw new Error(`${script}: ${stderr}`)
    return stdout
  }
  return {
    command: shellCommand,
    fifo: async (path) => void (await run('mkfifo "$1"', path)),
    hardLink: async (from, to) => void (await run('ln "$1" "$2"', from, to)),
    chmod: async (path, mode) => void (await run('chmod "$1" "$2"', mode.toString(8), path)),
    chown: async (path, { uid, gid }) => void (await run('chown -h "$1:$2" "$3"', `${uid}`, `${gid}`, path)),
    readLink: async (path) => (await run('readlink "$1"', path)).replace(/\n$/, ''),
  }
}
