import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePgpass } from '@maestra/client/postgres/pgpass'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { DeclaredCluster, DeclaredNode } from '../cluster/declared-cluster.js'
import { LocalHost } from '../host/local/local-host.js'
import { completePassfile, newPassword, observePasswords } from './passfile.js'
import type { Site } from './site.js'

const host = new LocalHost({ sync: false })
let directory: string
let passfile: string
let cluster: DeclaredCluster

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-passfile-'))
  passfile = join(directory, 'secrets', 'main.pgpass')
  cluster = {
    name: 'main',
    file: join(directory, 'maestra.yaml'),
    postgres: { version: 18, bin: undefined },
    nodes: [node('a', 5432, 'primary'), node('b', 5433, 'standby')],
    replication: { role: 'replicator', authentication: 'scram-sha-256' },
    allow: [],
    passfile,
  }
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function node(name: string, port: number, startsAs: DeclaredNode['startsAs']): DeclaredNode {
  return { name, host: '10.0.0.1', port, data: join(directory, name), startsAs, parameters: {} }
}

function site(env: Site['env'] = {}): Site {
  return { host, env, locators: () => [] }
}

function lines(user: string, password: string): string {
  return `10.0.0.1:5432:*:${user}:${password}\n10.0.0.1:5433:*:${user}:${password}\n`
}

function leave(content: string | Buffer): void {
  passfile = join(directory, 'main.pgpass')
  cluster = { ...cluster, passfile }
  writeFileSync(passfile, content, { mode: 0o600 })
}

async function complete(env: Site['env'] = {}) {
  await completePassfile(site(env), cluster)
  const { superuser, replication } = await observePasswords(site(), cluster)
  return { superuser: superuser?.reveal() ?? '', replication: replication?.reveal() ?? '' }
}

async function observe(env: Site['env'] = {}) {
  const { superuser, replication } = await observePasswords(site(env), cluster)
  return { superuser: superuser?.reveal(), replication: replication?.reveal() }
}

describe('completePassfile', () => {
  it('makes a file that only its owner can read, with both passwords for every node', async () => {
    const { superuser, replication } = await complete()
    expect(readFileSync(passfile, 'utf8')).toBe(lines('postgres', superuser) + lines('replicator', replication))
    expect(statSync(passfile).mode & 0o777).toBe(0o600)
    expect(superuser).not.toBe(replication)
    expect(await observe()).toEqual({ superuser, replication })
  })

  it('writes nothing when nothing is missing', async () => {
    leave(lines('postgres', 'one') + lines('replicator', 'two'))
    const before = statSync(passfile)
    expect(await complete()).toEqual({ superuser: 'one', replication: 'two' })
    expect(statSync(passfile).ino).toBe(before.ino)
    expect(statSync(passfile).mtimeMs).toBe(before.mtimeMs)
  })

  it('adds what is missing after what is there', async () => {
    const before = `# ours\n\n${lines('postgres', 'one')}*:*:*:other:three\n`
    leave(before)
    const { superuser, replication } = await complete()
    expect(superuser).toBe('one')
    expect(readFileSync(passfile, 'utf8')).toBe(before + lines('replicator', replication))
  })

  it('begins a new line where the last one is not ended', async () => {
    leave('10.0.0.1:5432:*:replicator:two')
    const { superuser } = await complete()
    expect(readFileSync(passfile, 'utf8')).toBe(
      `10.0.0.1:5432:*:replicator:two\n${lines('postgres', superuser)}10.0.0.1:5433:*:replicator:two\n`,
    )
  })

  it('keeps what others wrote byte for byte, also what is not UTF-8', async () => {
    const before = Buffer.from('# caf\xe9\r\n*:*:*:other:p\xe4ss\r\n', 'latin1')
    leave(before)
    const { superuser, replication } = await complete()
    const added = Buffer.from(lines('postgres', superuser) + lines('replicator', replication))
    expect(readFileSync(passfile)).toEqual(Buffer.concat([before, added]))
  })

  it('keeps the mode of a file that is there', async () => {
    leave('')
    chmodSync(passfile, 0o400)
    await complete()
    expect(statSync(passfile).mode & 0o777).toBe(0o400)
  })

  it('never gives a new cluster what stands in PGPASSWORD', async () => {
    const { superuser } = await complete({ PGPASSWORD: 'outside' })
    expect(superuser).not.toBe('outside')
    expect(superuser).toHaveLength(24)
  })

  it('writes down PGPASSWORD as the password of a server that exists', async () => {
    mkdirSync(join(directory, 'a'))
    writeFileSync(join(directory, 'a', 'PG_VERSION'), '18\n')
    expect((await complete({ PGPASSWORD: 'outside' })).superuser).toBe('outside')
  })

  it('adds the lines of a node that was declared later', async () => {
    leave(lines('postgres', 'one').split('\n').slice(0, 1).join('\n'))
    expect((await observePasswords(site(), cluster)).nodesWithout.length).toBeGreaterThan(0)
    await complete()
    expect((await observePasswords(site(), cluster)).nodesWithout).toEqual([])
  })

  it('gives the same passwords again', async () => {
    const first = await complete()
    const content = readFileSync(passfile, 'utf8')
    expect(await complete()).toEqual(first)
    expect(readFileSync(passfile, 'utf8')).toBe(content)
  })
})

describe('observePasswords', () => {
  it('finds none where there is no file, and makes none', async () => {
    expect(await observe()).toEqual({ superuser: undefined, replication: undefined })
    expect(existsSync(passfile)).toBe(false)
  })

  it('takes PGPASSWORD for the superuser, and for the superuser alone, where the file holds none', async () => {
    leave(lines('replicator', 'two'))
    expect(await observe({ PGPASSWORD: 'outside' })).toEqual({ superuser: 'outside', replication: 'two' })
    expect(await observe({ PGPASSWORD: '' })).toEqual({ superuser: undefined, replication: 'two' })
    leave(lines('postgres', 'one'))
    expect((await observe({ PGPASSWORD: 'outside' })).superuser).toBe('one')
  })

  it('takes the entry of the primary before one that only has the user', async () => {
    leave('10.0.0.9:5432:*:postgres:elsewhere\n10.0.0.1:5432:*:postgres:here\n')
    expect((await observe()).superuser).toBe('here')
  })

  it('takes what the file has for the user after the primary got another port', async () => {
    leave(lines('postgres', 'one') + lines('replicator', 'two'))
    cluster = { ...cluster, nodes: [node('a', 6000, 'primary')] }
    expect(await observe()).toEqual({ superuser: 'one', replication: 'two' })
  })

  it('shows none of them when it is printed', async () => {
    leave(lines('postgres', 'one') + lines('replicator', 'two'))
    expect(JSON.stringify(await observePasswords(site(), cluster))).toBe(
      '{"superuser":"***","replication":"***","nodesWithout":[]}',
    )
  })
})

describe('newPassword', () => {
  it('makes 24 characters that need no care in a file, a URL or a statement, each time others', () => {
    const made = Array.from({ length: 100 }, () => newPassword().reveal())
    for (const each of made) expect(each).toMatch(/^[A-Za-z0-9_-]{24}$/)
    expect(new Set(made).size).toBe(100)
    expect(parsePgpass(`h:1:d:u:${made[0]}`)[0]?.password).toBe(made[0])
  })
})
