import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { buildProgram } from './program.js'

const src = join(import.meta.dirname, '..')

/** Every command line of ours that a hint, a view or a comment names, without what a template fills in. */
function namedCommands(): readonly string[] {
  const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !/\.(test|fixture|conformance)\.ts$/.test(file),
  )
  const named = files.flatMap((file) => {
    const text = readFileSync(join(src, file), 'utf8').replace(/\$\{[^{}]*\}/g, 'x')
    return [
      ...text.matchAll(/\bmaestra ((?:init|add|remove|plan|apply|status|sandbox|completion)\b[^'"`;,()|\\$\n]*)/g),
    ]
  })
  return [...new Set(named.map(([, command = '']) => command.trim()))]
}

test('every command that Maestra tells people to type is one of its commands, with options that it has', () => {
  const program = buildProgram({ signal: new AbortController().signal, leaveSignals: () => {} })
  const named = namedCommands()
  expect(named).toEqual(expect.arrayContaining(['plan', 'apply', 'status --watch --every 5', 'init --file <file>']))
  expect(named.filter((command) => !isKnown(program, command.split(/\s+/)))).toEqual([])
})

function isKnown(command: Command, words: readonly string[]): boolean {
  const [first = '', ...rest] = words
  const next = command.commands.find((each) => each.name() === first)
  if (next !== undefined) return isKnown(next, rest)
  // A group has nothing but subcommands.
  if (command.commands.length > 0 && !['', '--help'].includes(first)) return false
  const flags = words.filter((word) => /^--[a-z]/.test(word)).map((word) => word.replace(/\W+$/, ''))
  return flags.every((flag) => flag === '--help' || command.options.some((option) => option.long === flag))
}
