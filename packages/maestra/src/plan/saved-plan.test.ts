import { MaestraError } from '@maestra/client/base/error'
import { describe, expect, test } from 'vitest'
import { canonicalHash } from './canonical-hash.js'
import { harmless } from './draft.js'
import type { Plan } from './plan.js'
import { isSavedPlan, readSavedPlan, savedPlanText } from './saved-plan.js'

const place = { file: '/shop/maestra.yaml', line: 7, column: 3, text: 'archive_command: PGPASSWORD=hunter2 copy' }
const plan: Plan = {
  cluster: 'shop',
  steps: [{ kind: 'start', node: 'db1', why: 'it is stopped', ...harmless }],
  refusals: [],
  unknowns: [],
  findings: [{ rule: 'r', severity: 'warning', message: 'password=hunter2 is weak', hint: undefined, place }],
  fingerprint: 'f00',
}
const saved = { createdAt: '2026-11-29T19:00:00.000Z', clusterFile: '/shop/maestra.yaml', declares: 'abc', plan }
const text = savedPlanText(saved)

/** The file with other keys, as somebody would write it who knows how its checksum is made. */
function forged(change: Readonly<Record<string, unknown>>): string {
  const { checksum: _checksum, ...content } = { ...JSON.parse(text), ...change }
  return JSON.stringify({ ...content, checksum: canonicalHash(content) })
}

function read(wrong: string): unknown {
  try {
    return readSavedPlan(wrong, '/shop/p')
  } catch (error) {
    if (error instanceof MaestraError) return `${error.code}: ${error.message}`
    throw error
  }
}

describe('a saved plan', () => {
  test('is read as it was written', () => {
    const { plan: found, ...rest } = readSavedPlan(text, '/shop/p')
    expect(rest).toEqual({ createdAt: saved.createdAt, clusterFile: saved.clusterFile, declares: 'abc' })
    expect(found).toMatchObject({ cluster: 'shop', steps: plan.steps, fingerprint: 'f00' })
    expect(readSavedPlan(JSON.stringify(JSON.parse(text)), '/shop/p').plan).toEqual(found)
  })

  test('is made again with what was asked for', () => {
    const request = { replace: ['db2'] }
    const asked = savedPlanText({ ...saved, plan: { ...plan, request } })
    expect(readSavedPlan(asked, '/shop/p').plan.request).toEqual(request)
  })

  test('is the document of plan --json with what it was made for', () => {
    expect(Object.keys(JSON.parse(text))).toEqual(
      'maestraPlan createdAt clusterFile declares cluster outcome steps refusals unknowns findings fingerprint checksum'.split(
        ' ',
      ),
    )
  })

  test('holds no password, and no line of the cluster file', () => {
    expect(text).not.toContain('hunter2')
    expect(text).toContain('password=*** is weak')
  })

  test.each([
    ['nothing', '', '/shop/p is no plan file of Maestra'],
    ['a cluster file', 'cluster: shop\n', '/shop/p is no plan file of Maestra'],
    ['other JSON', '{"cluster":"shop"}', '/shop/p is no plan file of Maestra'],
    ['half of it', text.slice(0, text.length / 2), '/shop/p is cut off or damaged: it is no JSON'],
    [
      'an edited one',
      text.replace('"db1"', '"db2"'),
      '/shop/p was changed after it was written: its checksum is another one',
    ],
    ['an older format', forged({ maestraPlan: 0 }), '/shop/p has the format 0, and this version of Maestra reads 1'],
    ['a later format', forged({ maestraPlan: 2 }), '/shop/p has the format 2, and this version of Maestra reads 1'],
    ['none', forged({ maestraPlan: 'x' }), '/shop/p has no version of its format'],
    ['no steps', forged({ steps: [1] }), '/shop/p is no plan: steps.0 is wrong'],
  ])('is refused in one line where the file holds %s', (_what, wrong, message) => {
    expect(read(wrong)).toBe(`plan-file-invalid: ${message}`)
  })

  test('cut off anywhere is refused, and is still known for a plan file once its first key is there', () => {
    for (let length = 0; length < text.trimEnd().length; length += 7) {
      expect(read(text.slice(0, length))).toMatch(/^plan-file-invalid: /)
    }
    expect(isSavedPlan(text.slice(0, 40))).toBe(true)
    expect(isSavedPlan('cluster: shop\n')).toBe(false)
  })
})
