import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LocalHost } from '../host/local/local-host.js'
import { missingCertificate } from './missing-certificate.js'

const host = new LocalHost({ sync: false })
let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-certificate-'))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const defaults = { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key', ssl_ca_file: '' }

async function missing(set: Partial<typeof defaults> = {}, { inDirectory = true } = {}) {
  return await missingCertificate(host, {
    account: host.processes.self(),
    directory: inDirectory ? directory : undefined,
    told: async (name) => ({ ...defaults, ...set })[name],
  })
}

function put(name: string): string {
  const path = join(directory, name)
  writeFileSync(path, '', { mode: 0o600 })
  return path
}

it('asks for nothing while ssl is off', async () => {
  expect(await missing({ ssl: 'off' })).toBeUndefined()
})

it('names each file that is not there, in the data directory unless its path is whole', async () => {
  expect(await missing()).toMatch(`"ssl" is on, and ${directory}/server.crt (ssl_cert_file) is not there; put it there`)
  put('server.crt')
  expect(await missing()).toMatch(`${directory}/server.key (ssl_key_file) is not there`)
  put('server.key')
  expect(await missing()).toBeUndefined()
  expect(await missing({ ssl_ca_file: '/nowhere/ca.crt' })).toMatch('/nowhere/ca.crt (ssl_ca_file) is not there')
})

it('takes whole paths alone where the data directory is not there yet', async () => {
  const whole = { ssl_cert_file: put('a.crt'), ssl_key_file: put('a.key') }
  expect(await missing(whole, { inDirectory: false })).toBeUndefined()
  expect(await missing({}, { inDirectory: false })).toMatch('server.crt (ssl_cert_file) is no whole path')
})

it('names a key that others may read, with which PostgreSQL does not start', async () => {
  put('server.crt')
  chmodSync(put('server.key'), 0o644)
  expect(await missing()).toMatch(`may be read by others; take that away: chmod 600 ${directory}/server.key`)
})
