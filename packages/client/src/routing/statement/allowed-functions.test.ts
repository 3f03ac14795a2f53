import { expect, test } from 'vitest'
import { functionGroups, namesOf } from './allowed-functions.js'

test('every allowed function stands in one group', () => {
  const names = functionGroups.flatMap(namesOf)
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([])
})
