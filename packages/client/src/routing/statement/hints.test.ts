import { beforeAll, describe, expect, test } from 'vitest'
import { Classifier } from './classify.js'
import { namesWith } from './names.fixture.js'
import { withHint } from './statement.js'

const classifier = new Classifier()

beforeAll(async () => {
  await classifier.load()
  classifier.setNames(namesWith({ relations: new Map([['v', 'view']]), functions: new Set(['f']) }))
})

const replica = '/* maestra: replica */'
const primary = '/* maestra: primary */'

describe('a hint in a comment', () => {
  test.each([
    `${replica} select f(1)`,
    `select f(1) ${replica}`,
    `select /*maestra:replica*/ * from v`,
    `select 1::email ${replica}`,
    `select a <<-> b from t ${replica}`,
    `select version() ${replica}`,
    `show port ${replica}`,
    `explain analyze select * from v ${replica}`,
    `select '${primary}' || f(1) ${replica}`,
  ])('sends to a replica what is not proven, which still counts as a write elsewhere: %s', (text) => {
    expect(classifier.classify(text)).toMatchObject({
      kind: 'read',
      reason: 'hint-replica',
      hint: 'replica',
      mayWrite: true,
    })
  })

  test.each([
    ['select * from t for update', 'read-on-primary', 'locking-clause'],
    ['select f(1) from t for share', 'read-on-primary', 'locking-clause'],
    ['select 1 into a', 'other', 'select-into'],
    ['with a as (delete from t) select f(1)', 'other', 'data-changing-cte'],
    ['insert into t values (1)', 'row-change', 'row-change'],
    ['insert into t values (f(1))', 'other', 'user-function'],
    ['create table a ()', 'other', 'utility'],
    ['set work_mem to 1', 'other', 'utility'],
    ['begin', 'begin', 'transaction-control'],
    ['select 1; select 2', 'other', 'several-statements'],
    ['explain analyze delete from t', 'other', 'explain'],
    ['call f()', 'other', 'utility'],
    ['selec 1', 'other', 'unparsable'],
  ])('for a replica changes nothing of %s', (text, kind, reason) => {
    expect(classifier.classify(`${text} ${replica}`)).toMatchObject({ kind, reason, hint: 'replica' })
  })

  test('keeps a proven read on the primary, where it is no write', () => {
    const expected = { kind: 'read-on-primary', reason: 'hint-primary', mayWrite: false, maySetParameters: false }
    expect(classifier.classify(`${primary} select 1`)).toMatchObject(expected)
    expect(classifier.classify(`${replica} ${primary} select 1`)).toMatchObject({ ...expected, hint: 'primary' })
  })

  test('for the primary leaves the reason of what goes there anyway', () => {
    expect(classifier.classify(`${primary} select f(1)`)).toMatchObject({ reason: 'user-function', mayWrite: true })
    expect(classifier.classify(`${primary} insert into t values (1)`)).toMatchObject({ kind: 'row-change' })
  })

  test.each([
    [`select f('${replica}')`],
    [`select f(1) as "${replica}"`],
    [`select f($$${replica}$$)`],
    [`select f($a$ $$ ${replica} $a$)`],
    [`select f(E'\\'${replica}')`],
    [`select f('''${replica}')`],
    [`select f(1) -- ${replica}`],
    [`select f(1) /* ${replica} */`],
    [`select f(1) /* maestra: replica, please */`],
    [`select f(1) /* maestra: everywhere */`],
  ])('is none in %s', (text) => {
    expect(classifier.classify(text)).toMatchObject({ kind: 'read-on-primary', reason: 'user-function' })
    expect(classifier.classify(text).hint).toBeUndefined()
  })

  test.each([
    `select f(e'\\\\', ${replica} 1)`,
    `select f('\\', ${replica} 1)`,
    `select f($1, $2, ${replica} 1)`,
    `select f(a$b, ${replica} c$b)`,
    `select f(1) /* /* nested */ */ ${replica}`,
    `select f(1) -- a'\n ${replica}`,
    `select f(1) - - 1 ${replica}`,
  ])('is one in %s', (text) => {
    expect(classifier.classify(text)).toMatchObject({ kind: 'read', hint: 'replica' })
  })
})

describe('a hint of an option', () => {
  const hinted = (text: string, hint: 'primary' | 'replica') => withHint(classifier.classify(text), hint)

  test('stands before a comment', () => {
    expect(hinted(`select 1 ${primary}`, 'replica')).toMatchObject({
      kind: 'read',
      reason: 'proven-read',
      mayWrite: false,
    })
    expect(hinted(`select f(1) ${replica}`, 'primary')).toMatchObject({
      kind: 'read-on-primary',
      reason: 'hint-primary',
      mayWrite: true,
    })
  })

  test('is heeded where a comment would be', () => {
    expect(hinted('select f(1)', 'replica')).toMatchObject({ kind: 'read', reason: 'hint-replica', detail: 'f' })
    expect(hinted('select 1', 'primary')).toMatchObject({ kind: 'read-on-primary', reason: 'hint-primary' })
    expect(hinted('delete from t', 'replica')).toMatchObject({ kind: 'row-change', hint: 'replica' })
  })

  test('changes nothing of what is remembered', () => {
    hinted('select 1', 'primary')
    expect(classifier.classify('select 1')).toMatchObject({ kind: 'read' })
  })
})
