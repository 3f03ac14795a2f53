import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalHost } from '../../host/local/local-host.js'
import { thisProcess } from '../../host/process-owner.js'
import { ownerLives, readRecord } from '../sandbox-record.js'
import { takeDown } from '../take-down.js'
import { openControlDoor } from './control-door.js'
import { keeperFile } from './keeper-process.js'
import type { Link } from './keeper-request.js'
import { Links } from './links.js'

/** How often the owner is looked for while its pipe has ended and it lives still, in ms. */
const ownerEveryMs = 100

/**
 * The keeper of a sandbox, a process of its own: it carries the bytes between standbys and their primary, and takes the
 * sandbox down when its owner ends, however that ends: its standard input is a pipe whose other end only the owner has.
 * Arguments: the path of the sandbox's record, its links as JSON.
 */
async function main([path = '', links = '[]']: readonly string[]): Promise<void> {
  const host = new LocalHost({ sync: false })
  const sandbox = await readRecord(host, path)
  if (sandbox === undefined) throw new Error(`${path} is no record of a sandbox`)
  process.on('SIGINT', () => {})
  process.on('SIGHUP', () => {})
  process.stdin.on('error', () => {})
  process.stdin.once('close', () => {
    void endWithOwner(host, path)
  })
  process.stdin.resume()
  const opened = new Links()
  await opened.open(JSON.parse(links) as readonly Link[])
  await openControlDoor(sandbox.record.keeper, (request) => opened.answer(request))
  // Now it can be asked: whoever started it waits for this file.
  const text = JSON.stringify(await thisProcess(host))
  await host.files.write(join(sandbox.record.directory, keeperFile), text, { mode: 0o600 })
}

/** A sandbox that was given away lives on without an owner, and one that was taken down needs nothing. */
async function endWithOwner(host: LocalHost, path: string): Promise<void> {
  for (;;) {
    const sandbox = await readRecord(host, path)
    if (sandbox === undefined) process.exit()
    if (sandbox.record.owner === null) return
    if (!(await ownerLives(host, sandbox))) {
      await takeDown(host, sandbox)
      process.exit()
    }
    // The pipe was that of a thread, or of a command that started this keeper again.
    await sleep(ownerEveryMs)
  }
}

await main(process.argv.slice(2))
