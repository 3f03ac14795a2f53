import { readFileSync } from 'node:fs'

/** Lines of a sandbox node's log that tell of something that failed there, or of a statement that did. */
export function complaintsOf(
  sandbox: { readonly directory: string },
  node: { readonly name: string },
): readonly string[] {
  return readFileSync(`${sandbox.directory}/${node.name}.log`, 'utf8')
    .split('\n')
    .filter((line) => /\b(?:ERROR|STATEMENT|FATAL|PANIC):/.test(line))
}
