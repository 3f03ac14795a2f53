import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type PageName = 'by-hand.md' | 'by-hand.es.md'

/** Where the commands of a block are run: both machines, the primary, …; `written-` before it in the page as people have it. */
export type Block = { readonly where: string; readonly commands: string }

/** The commands of the page, in its order: what follows `sh` above a block says where they are run. */
export function pageCommands(page: PageName): readonly Block[] {
  const text = readFileSync(fileURLToPath(new URL(`../../docs/${page}`, import.meta.url)), 'utf8')
  return [...text.matchAll(/^```sh (\S+)\n(.*?)^```$/gms)].map(([, where = '', commands = '']) => ({ where, commands }))
}
