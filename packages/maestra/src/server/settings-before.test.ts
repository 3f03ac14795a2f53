import { mkdtempSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { LocalHost } from '../host/local/local-host.js'
import { forgetSettingsBefore, keepSettings, settingsBefore } from './settings-before.js'

const host = new LocalHost({ sync: false })
const account = host.processes.self()
let data: string

beforeEach(() => {
  data = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-before-'))
})

afterEach(() => {
  rmSync(data, { recursive: true, force: true })
})

function settings(node: string, more = ''): string {
  return `maestra.node = '${node}'\n${more}`
}

function write(name: string, text: string): void {
  writeFileSync(join(data, name), text)
}

it('keeps what the server worked with, whatever is written after it', async () => {
  write('maestra.conf', settings('db1'))
  await keepSettings(host, data, account)
  write('maestra.conf', settings('db1', 'work_mem = 5MB'))
  await keepSettings(host, data, account)
  expect(await settingsBefore(host, data)).toBe(settings('db1'))
  await forgetSettingsBefore(host, data)
  expect(await settingsBefore(host, data)).toBeUndefined()
})

it('gives nobody the settings of another node, and keeps its own in their place', async () => {
  write('maestra.before.conf', settings('db1', 'port = 5432'))
  write('maestra.conf', settings('db2'))
  expect(await settingsBefore(host, data)).toBeUndefined()
  await keepSettings(host, data, account)
  expect(readFileSync(join(data, 'maestra.before.conf'), 'utf8')).toBe(settings('db2'))
})

it('gives back nothing that is older than the last start, and keeps the present ones in its place', async () => {
  write('maestra.conf', settings('db1'))
  write('maestra.before.conf', settings('db1', 'work_mem = 1MB'))
  write('postmaster.opts', '')
  utimesSync(join(data, 'postmaster.opts'), new Date(), new Date('2001-01-01'))
  expect(await settingsBefore(host, data)).toBe(settings('db1', 'work_mem = 1MB'))
  utimesSync(join(data, 'postmaster.opts'), new Date(), new Date(Date.now() + 60_000))
  expect(await settingsBefore(host, data)).toBeUndefined()
  utimesSync(join(data, 'maestra.before.conf'), new Date(), new Date('2001-01-01'))
  utimesSync(join(data, 'postmaster.opts'), new Date(), new Date('2002-01-01'))
  await keepSettings(host, data, account)
  expect(await settingsBefore(host, data)).toBe(settings('db1'))
})
