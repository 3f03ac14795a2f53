import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { clearNamespaces } from './namespaces.js'
import { clientPrograms } from './programs.js'

/** What these tests need beside npm's packages; and what a killed run left of its hosts is taken down. */
export default async function setup(): Promise<void> {
  if (process.getuid?.() !== 0) throw new Error('npm run test:hosts makes network namespaces: run it as root')
  if (!['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'].some(existsSync)) install('iproute2')
  if (clientPrograms() === undefined) {
    // Else the package makes a server of its own, and starts it.
    const settings = '/etc/postgresql-common/createcluster.conf'
    mkdirSync(dirname(settings), { recursive: true })
    if (!existsSync(settings)) writeFileSync(settings, 'create_main_cluster = false\n')
    install('postgresql')
  }
  await clearNamespaces()
}

function install(name: string): void {
  const options = { stdio: 'inherit', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } } as const
  execFileSync('apt-get', ['update', '-q'], options)
  execFileSync('apt-get', ['install', '-qy', '--no-install-recommends', name], options)
}
