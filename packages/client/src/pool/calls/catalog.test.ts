import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TextRow } from './ask-server.js'
import { Catalog } from './catalog.js'

const names = JSON.stringify({})

let looks: ((rows: readonly TextRow[]) => void)[]
let told: number
let failed: unknown[]
let catalog: Catalog

beforeEach(() => {
  vi.useFakeTimers()
  looks = []
  told = 0
  failed = []
  catalog = new Catalog({
    ask: () => new Promise((resolve) => looks.push(resolve)),
    seen: () => {
      told += 1
    },
    failed: (error) => failed.push(error),
  })
})

afterEach(() => {
  catalog.stop()
  vi.useRealTimers()
})

/** The look that is under way has its answer. */
async function answer(): Promise<void> {
  looks.at(-1)?.([{ names }, { found: 'false' }])
  await vi.advanceTimersByTimeAsync(0)
}

describe('Catalog', () => {
  it('looks once more behind a look during which something was made, and tells only what that one saw', async () => {
    catalog.refresh()
    catalog.refresh()
    await answer()
    expect([looks.length, told]).toEqual([2, 0])
    await answer()
    expect([looks.length, told, failed]).toEqual([2, 1, []])
  })

  it('tells what it saw although statements fail all the time', async () => {
    catalog.refresh()
    catalog.doubt()
    await answer()
    expect(told).toBe(1)
  })

  it('looks again soon after a doubt, and no more than once a second however many there are', async () => {
    catalog.refresh()
    await answer()
    for (let n = 0; n < 100; n += 1) catalog.doubt()
    await vi.advanceTimersByTimeAsync(800)
    expect(looks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(300)
    expect(looks).toHaveLength(2)
    // The answer of a look that had begun before may lack what the doubt is about.
    catalog.doubt()
    await answer()
    await vi.advanceTimersByTimeAsync(1010)
    expect(looks).toHaveLength(3)
  })

  it('looks every 30 s when nothing happens', async () => {
    catalog.refresh()
    await answer()
    await vi.advanceTimersByTimeAsync(29_900)
    expect(looks).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(200)
    expect(looks).toHaveLength(2)
  })
})
