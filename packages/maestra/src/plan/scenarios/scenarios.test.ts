import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { plain } from '../../cli/terminal.js'
import { planView } from '../../cli/views/plan-view.js'
import { loadCluster } from '../../cluster/load-cluster.js'
import { planCluster } from '../plan-cluster.js'
import { readSeen } from './seen.fixture.js'

// A file tells a title, a cluster file, what is seen (and asked for), and the plan that is expected. `vitest -u` writes the plan anew:
// look at the difference, and keep it only when you understand it.
const folder = import.meta.dirname
const marks = ['=== cluster file\n', '=== seen\n', '=== plan\n'] as const

describe('the plan for a cluster of which', () => {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.scenario.txt'))) {
    const path = join(folder, file)
    const [title = '', clusterText = '', seenText = ''] = sections(readFileSync(path, 'utf8'))
    test(`${title.split('\n')[0]} (${basename(file, '.scenario.txt')})`, async () => {
      const loaded = loadCluster(clusterText, '/shop/maestra.yaml')
      expect(loaded.findings).toEqual([])
      if (loaded.cluster === undefined) throw new Error('unreachable')
      const replace = /^asked: --replace (.*)$/m.exec(seenText)?.[1]?.split(', ')
      const request = replace === undefined ? {} : { replace }
      const plan = planCluster(loaded.cluster, readSeen(seenText, loaded.cluster), undefined, request)
      const text = [title, clusterText, seenText, planView(plan, plain)]
      await expect(
        text.map((part, index) => (index === 0 ? part : marks[index - 1] + part)).join(''),
      ).toMatchFileSnapshot(path)
    })
  }
})

function sections(text: string): readonly string[] {
  return marks.reduce<readonly string[]>(
    (parts, mark) => [...parts.slice(0, -1), ...(parts.at(-1) ?? '').split(mark)],
    [text],
  )
}
