import { Argument, Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { commandTree } from '../command-tree.js'
import { buildProgram } from '../program.js'
import { bashCompletion } from './completion-bash.js'
import { fishCompletion } from './completion-fish.js'
import { zshCompletion } from './completion-zsh.js'

/** One of each: what the scripts say of it is told below, word for word. */
function program(): Command {
  const all = new Command('maestra').version('1', '-V, --version', 'print the version')
  all
    .command('look')
    .description("what's up: now")
    .option('-f, --file <file>', 'a file')
    .addOption(new Option('--as <form>', 'how').choices(['table', 'json']))
  all.command('remove').description('take out').argument('<node>')
  const sandbox = all.command('sandbox').description('test')
  sandbox.command('up').option('--name <name>')
  sandbox.command('sql').argument('<node>').argument('<statement>').option('--name <name>').option('--data <directory>')
  all.command('tell').addArgument(new Argument('<shell>').choices(['bash', 'zsh']))
  all.command('do').argument('[plan-file]')
  all.command('secret', { hidden: true })
  return all
}

test.each([
  ['bash', bashCompletion],
  ['zsh', zshCompletion],
  ['fish', fishCompletion],
] as const)('the script for %s has every command, option and choice that help shows, and no more', (_shell, script) => {
  const text = script(commandTree(program()))
  expect(text).toMatchSnapshot()
  expect(text).not.toContain('secret')
})

test('names are asked for where an argument is a node or a sandbox', () => {
  const tree = commandTree(buildProgram({ signal: new AbortController().signal, leaveSignals: () => {} }))
  const of = (path: string) => tree.find((node) => node.path === path)
  expect(of('remove')?.arguments).toEqual([{ kind: 'names', of: 'replicas' }])
  expect(of('sandbox sql')?.arguments[0]).toEqual({ kind: 'names', of: 'sandbox-nodes' })
  expect(of('apply')?.arguments).toEqual([{ kind: 'files' }])
  expect(of('sandbox down')?.arguments).toEqual([{ kind: 'names', of: 'sandboxes' }])
  const nameOf = (path: string) => of(path)?.options.find(({ flags }) => flags.includes('--name'))?.value
  expect(nameOf('sandbox sql')).toEqual({ kind: 'names', of: 'sandboxes' })
  expect(nameOf('sandbox up')).toEqual({ kind: 'anything' })
  expect(of('')?.commands.map(({ name }) => name)).not.toContain('complete-words')
})
