import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { packageFile } from './package-file.js'

it('is a file of the package, by its path from the package’s own folder', () => {
  expect(packageFile('bin/maestra.js')).toMatch(/\/packages\/maestra\/bin\/maestra\.js$/)
  expect(existsSync(packageFile('schema/maestra.schema.json'))).toBe(true)
})
