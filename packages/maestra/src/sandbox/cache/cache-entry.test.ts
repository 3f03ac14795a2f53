import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalHost } from '../../host/local/local-host.js'
import { cacheEntry } from './cache-entry.js'

const host = new LocalHost({ sync: false })
let directory: string
let target: string

beforeEach(() => {
  directory = mkdtempSync(join(realpathSync(tmpdir()), 'maestra-build-'))
  target = join(directory, 'templates', 'one')
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

const inCache = (): readonly string[] => readdirSync(join(directory, 'templates'))

/** A pid that nothing has: the process has ended. */
async function deadPid(): Promise<number> {
  const { stdout } = await host.processes.run('/bin/sh', ['-c', 'echo $$'], {})
  return Number(stdout)
}

describe('cacheEntry', () => {
  it('builds once and gives the same directory again', async () => {
    let builds = 0
    for (let time = 0; time < 3; time += 1) {
      const built = await cacheEntry(host, target, async (aside) => {
        builds += 1
        writeFileSync(join(aside, 'content'), `build ${builds}`)
      })
      expect(built).toBe(target)
    }
    expect(builds).toBe(1)
    expect(readFileSync(join(target, 'content'), 'utf8')).toBe('build 1')
    expect(inCache()).toEqual(['one'])
  })

  it('shows nothing in its place before it is complete', async () => {
    await cacheEntry(host, target, async (aside) => {
      expect(aside).not.toBe(target)
      expect(inCache()).not.toContain('one')
    })
    expect(inCache()).toEqual(['one'])
  })

  it('gives two builds at the same moment one result, which is whole', async () => {
    let release = () => {}
    const bothBegan = new Promise<void>((resolve) => {
      release = resolve
    })
    let begun = 0
    const build = (content: string) =>
      cacheEntry(host, target, async (aside) => {
        begun += 1
        if (begun === 2) release()
        writeFileSync(join(aside, 'first'), content)
        await bothBegan
        writeFileSync(join(aside, 'last'), content)
      })
    expect(await Promise.all([build('a'), build('b')])).toEqual([target, target])
    expect(begun).toBe(2)
    expect(readFileSync(join(target, 'first'), 'utf8')).toBe(readFileSync(join(target, 'last'), 'utf8'))
    expect(inCache()).toEqual(['one'])
  })

  it('leaves nothing when a build fails, and builds the next time', async () => {
    const failure = new Error('no')
    const failing = cacheEntry(host, target, async (aside) => {
      writeFileSync(join(aside, 'half'), 'x')
      throw failure
    })
    await expect(failing).rejects.toBe(failure)
    expect(inCache()).toEqual([])
    await cacheEntry(host, target, async (aside) => writeFileSync(join(aside, 'whole'), 'x'))
    expect(readdirSync(target)).toContain('whole')
    expect(readdirSync(target)).not.toContain('half')
  })

  it('takes what another process has built meanwhile, also when its own build fails then', async () => {
    const built = await cacheEntry(host, target, async () => {
      await cacheEntry(host, target, async (aside) => writeFileSync(join(aside, 'content'), 'of the other'))
      throw new Error('no')
    })
    expect(built).toBe(target)
    expect(readFileSync(join(target, 'content'), 'utf8')).toBe('of the other')
    expect(inCache()).toEqual(['one'])
  })

  it('removes what killed builds left, and nothing else', async () => {
    const dead = await deadPid()
    const kept = [`one.building-${process.pid}-999`, 'one-and-more']
    for (const name of [`one.building-${dead}-1`, `one.building-${dead}-2`, `other.building-${dead}-1`, ...kept]) {
      mkdirSync(join(directory, 'templates', name, 'half'), { recursive: true })
    }
    await cacheEntry(host, target, async () => {})
    expect(inCache()).toEqual([...kept, 'one'].sort())
  })

  it('does not take a directory without its mark for one that it has built', async () => {
    mkdirSync(target, { recursive: true })
    writeFileSync(join(target, 'theirs'), 'kept')
    await expect(cacheEntry(host, target, async () => {})).rejects.toMatchObject({
      code: 'directory-in-the-way',
      message: `${target} is in the way: it holds theirs and not the mark of a complete one`,
      hint: `remove it, it is made again: rm -r ${target}`,
    })
    expect(readdirSync(target)).toEqual(['theirs'])
    expect(inCache()).toEqual(['one'])
  })
})
