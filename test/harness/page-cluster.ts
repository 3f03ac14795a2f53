import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { quickParameters } from './cluster-folder.js'

/** The page that people follow, as a cluster file. */
const example = fileURLToPath(new URL('../../examples/page/maestra.yaml', import.meta.url))

/** The example as it is, but for what a test spares its servers, and for other addresses where it names them. */
export function pageClusterText(places: readonly { readonly host: string; readonly port: number }[] = []): string {
  const text = readFileSync(example, 'utf8')
  const placed = places.reduce(
    (before, { host, port }, index) =>
      before.replace(`host: 192.168.1.${index + 1}`, `host: ${host}\n    port: ${port}`),
    text,
  )
  return `${placed}${quickParameters.map((line) => `  ${line}\n`).join('')}`
}
