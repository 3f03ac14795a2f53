import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalHost } from '../../host/local/local-host.js'
import { thisProcess } from '../../host/process-owner.js'
import { ownerLives, type RecordedSandbox, readRecord } from '../sandbox-record.js'
import { takeDown } from '../take-down.js'
import { openControlDoor } from './control-door.js'
import { keeperFile } from './keeper-process.js'
import type { Link } from './keeper-request.js'
import { Links } from './links.js'

let isEnding = false

/** How often the owner is looked for while its pipe has ended and it lives still, in ms. */
const ownerEveryMs = 100
/** And how often a keeper without an owner looks whether its sandbox is still there. */
const recordEveryMs = 3000

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
  try {
    await open(host, sandbox, JSON.parse(links) as readonly Link[])
  } catch (error) {
    // What it was to be opened for is being taken down: by this very process, which has to go on with that.
    if (!isEnding) throw error
  }
}

async function open(host: LocalHost, sandbox: RecordedSandbox, links: readonly Link[]): Promise<void> {
  const opened = new Links()
  await opened.open(links)
  await openControlDoor(sandbox.record.keeper, (request) => opened.answer(request))
  // Now it can be asked: whoever started it waits for this file.
  const text = JSON.stringify(await thisProcess(host))
  await host.files.write(join(sandbox.record.directory, keeperFile), text, { mode: 0o600 })
}

/** A sandbox that was given away lives on without an owner; one whose record is gone needs no keeper. */
async function endWithOwner(host: LocalHost, path: string): Promise<void> {
  isEnding = true
  for (;;) {
    const sandbox = await readRecord(host, path)
    if (sandbox === undefined) process.exit()
    if (sandbox.record.owner !== null && !(await ownerLives(host, sandbox))) {
      await takeDown(host, sandbox)
      process.exit()
    }
    // An owner that lives: the pipe was that of a thread, or of a command that started this keeper again.
    await sleep(sandbox.record.owner === null ? recordEveryMs : ownerEveryMs)
  }
}

await main(process.argv.slice(2))
