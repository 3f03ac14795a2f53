import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runScenario } from './scenarios.fixture.js'

// What servers answer, and what follows from it: first line the story, then the steps, and indented what is known after each.
// Write the steps of a new one into scenarios/NAME.scenario.txt, run this file with --update, and read what it says.
const directory = join(import.meta.dirname, 'scenarios')

it.each(readdirSync(directory).filter((name) => name.endsWith('.scenario.txt')))('%s', async (name) => {
  const file = join(directory, name)
  const steps = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('    '))
  await expect(runScenario(steps.join('\n'))).toMatchFileSnapshot(file)
})
