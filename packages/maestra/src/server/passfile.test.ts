import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parsePgpass } from '@maestra/client/postgres/pgpass'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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
    baseBackup: { with: 'maestra', checkpoint: 'fast', maxRateKb: undefined, verify: true },
    allow: [],
    passfile,
  }
})

afterEach(() => {
  vi.unstubAllEnvs()
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

describe("the user's own password file", () => {
  const own = (content: string, mode = 0o600, name = '.pgpass'): Site['env'] => {
    writeFileSync(join(directory, name), content, { mode })
    chmodSync(join(directory, name), mode)
    return { HOME: directory }
  }
  const superuserBy = async (env: Site['env']) => (await observe(env)).superuser
  const exists = () => {
    mkdirSync(join(directory, 'a'))
    writeFileSync(join(directory, 'a', 'PG_VERSION'), '18\n')
  }

  it('has the password of the superuser, and of the superuser alone, where nothing nearer has one', async () => {
    const env = own('10.0.0.1:5432:*:*:of-user\n')
    expect(await observe(env)).toEqual({ superuser: 'of-user', replication: undefined })
    expect(await superuserBy({ ...env, PGPASSWORD: 'outside' })).toBe('outside')
    leave(lines('postgres', 'one'))
    expect(await superuserBy({ ...env, PGPASSWORD: 'outside' })).toBe('one')
    expect(await superuserBy(env)).toBe('one')
  })

  it('is asked for each node, for the primary first', async () => {
    expect(await superuserBy(own('10.0.0.1:5433:*:*:of-b\n10.0.0.1:5432:*:*:of-a\n'))).toBe('of-a')
    expect(await superuserBy(own('10.0.0.1:5433:*:*:of-b\n'))).toBe('of-b')
  })

  it.each([
    ['another host', '10.0.0.9:*:*:*:x'],
    ['another port', '*:6000:*:*:x'],
    ['another database', '*:*:shop:*:x'],
    ['another role', '*:*:*:app:x'],
  ])('says nothing by a line for %s', async (_, line) => {
    expect(await superuserBy(own(`${line}\n`))).toBeUndefined()
  })

  it('is the one that PGPASSFILE names, and then no other', async () => {
    const home = own('*:*:*:*:of-home\n')
    own('*:*:*:*:of-file\n', 0o600, 'mine')
    expect(await superuserBy({ ...home, PGPASSFILE: join(directory, 'mine') })).toBe('of-file')
    expect(await superuserBy({ ...home, PGPASSFILE: join(directory, 'nothing') })).toBeUndefined()
    expect(await superuserBy({ ...home, PGPASSFILE: '' })).toBe('of-home')
  })

  it('is nowhere without variables: those of this process do not count', async () => {
    vi.stubEnv('PGPASSFILE', join(directory, '.pgpass'))
    vi.stubEnv('HOME', directory)
    own('*:*:*:*:of-home\n')
    expect(await superuserBy({})).toBeUndefined()
  })

  it('may be a link', async () => {
    own('*:*:*:*:of-file\n', 0o600, 'mine')
    symlinkSync(join(directory, 'mine'), join(directory, '.pgpass'))
    expect(await superuserBy({ HOME: directory })).toBe('of-file')
  })

  it.each([0o640, 0o604, 0o610, 0o666])('is ignored with mode %o, and that is said', async (mode) => {
    const env = own('*:*:*:*:of-home\n', mode)
    const found = await observePasswords(site(env), cluster)
    expect(found.superuser).toBeUndefined()
    const path = join(directory, '.pgpass')
    expect(found.ignoredPassfile).toBe(`${path} is ignored, as others than its owner may use it: chmod 0600 ${path}`)
    exists()
    expect((await complete(env)).superuser).not.toBe('of-home')
  })

  it('is ignored when it is no plain file, and that is said', async () => {
    mkdirSync(join(directory, '.pgpass'), { mode: 0o700 })
    const { ignoredPassfile } = await observePasswords(site({ HOME: directory }), cluster)
    expect(ignoredPassfile).toBe(`${join(directory, '.pgpass')} is ignored, as it is no plain file`)
  })

  it('is not looked at where the cluster has a password', async () => {
    leave(lines('postgres', 'one'))
    const { ignoredPassfile } = await observePasswords(site(own('*:*:*:*:x\n', 0o644)), cluster)
    expect(ignoredPassfile).toBeUndefined()
  })

  it('never gives a new cluster its password', async () => {
    const { superuser } = await complete(own('*:*:*:*:of-home\n'))
    expect(superuser).not.toBe('of-home')
    expect(superuser).toHaveLength(24)
  })

  it('has the password of a server that exists, and is written down', async () => {
    exists()
    expect((await complete(own('*:*:*:postgres:of-home\n'))).superuser).toBe('of-home')
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
