import { beforeAll, describe, expect, test } from 'vitest'
import { Classifier, longestParsed } from './classify.js'
import { namesWith } from './names.fixture.js'

/** The same object is given again only by what was remembered. */
function remembers(classifier: Classifier, text: string): boolean {
  const first = classifier.classify(text)
  return classifier.classify(text) === first
}

describe('the cache of a classifier', () => {
  let classifier: Classifier

  beforeAll(async () => {
    classifier = new Classifier({ cacheSize: 3 })
    await classifier.load()
    classifier.setNames(namesWith())
  })

  test('gives what was said of the same text', () => {
    expect(remembers(classifier, 'select 1')).toBe(true)
    expect(classifier.classify('select 1')).not.toBe(classifier.classify('select  1'))
  })

  test('keeps what is asked for again, and drops what is not', () => {
    const [often, once] = [classifier.classify('select often'), classifier.classify('select once')]
    for (let n = 0; n < 20; n++) {
      classifier.classify(`select ${n}`)
      expect(classifier.classify('select often')).toBe(often)
    }
    expect(classifier.classify('select once')).not.toBe(once)
  })

  test('holds no text that is not parsed', () => {
    expect(remembers(classifier, `select 1 ${' '.repeat(longestParsed)}`)).toBe(false)
  })

  test('is bounded by the length of its texts too', () => {
    const wide = new Classifier({ cacheSize: 1_000_000 })
    const first = wide.classify('select first')
    for (let n = 0; n < 300; n++) wide.classify(`select ${n} ${' '.repeat(longestParsed - 20)}`)
    expect(wide.classify('select first')).not.toBe(first)
  })
})
