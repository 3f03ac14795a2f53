import { describe, expect, it } from 'vitest'
import { queryCall } from '../../calls/query-arguments.js'
import { ReadCosts } from './read-costs.js'

describe('the costs of texts', () => {
  it('are one for each text, however it is asked', () => {
    const costs = new ReadCosts()
    const cost = costs.of(queryCall('select $1', [1]))
    expect(cost).toBeDefined()
    expect(costs.of(queryCall({ text: 'select $1', values: [2], rowMode: 'array' }))).toBe(cost)
    expect(costs.of(queryCall('select $1::int', [1]))).not.toBe(cost)
  })

  it.each([
    ['a name of the application', { text: 'select 1', name: 'one' }],
    ['rows that are fetched in portions', { text: 'select 1', rows: 10 }],
    ['a portal', { text: 'select 1', portal: 'p' }],
    ['parsers of its own', { text: 'select 1', types: { getTypeParser: () => String } }],
    ['a time limit', { text: 'select 1', query_timeout: 1000 }],
    ['a signal', { text: 'select 1', signal: new AbortController().signal }],
    ['no text', { name: 'one' }],
  ])('are none for a call with %s, which needs a connection of its own', (_what, config) => {
    expect(new ReadCosts().of(queryCall(config))).toBeUndefined()
  })

  it('are kept for what is asked again, and for a bounded number of texts', () => {
    const costs = new ReadCosts()
    const kept = costs.of(queryCall('select 0'))
    const dropped = costs.of(queryCall('select 1'))
    for (let text = 2; text < 5000; text += 1) {
      costs.of(queryCall(`select ${text}`))
      costs.of(queryCall('select 0'))
    }
    expect(costs.of(queryCall('select 0'))).toBe(kept)
    expect(costs.of(queryCall('select 1'))).not.toBe(dropped)
  })
})
