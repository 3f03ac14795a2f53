import { type DataPath, isMapping, valueAt } from './data-path.js'
import type { Finding } from './finding.js'
import { insteadOf, isOff, parameterNamePattern } from './parameters.js'
import { type Words, wording } from './wording.js'
import type { YamlSource } from './yaml-source.js'

/** What is wrong with the names and values under `parameters`, wherever the file has them, beyond their types. */
export function parameterFindings(source: YamlSource): Finding[] {
  const { value: nodes } = valueAt(source.data, ['nodes'])
  const blocks: DataPath[] = [['parameters']]
  if (Array.isArray(nodes)) blocks.push(...nodes.map((_, index) => ['nodes', index, 'parameters']))
  return blocks.flatMap((path) => blockFindings(source, path))
}

function blockFindings(source: YamlSource, path: DataPath): Finding[] {
  const { value: block } = valueAt(source.data, path)
  if (!isMapping(block)) return []
  const seen = new Map<string, string>()
  return Object.entries(block).flatMap(([written, value]) => {
    const before = seen.get(written.toLowerCase())
    seen.set(written.toLowerCase(), written)
    const wrong = mistake(written, value, before)
    if (wrong === undefined) return []
    const place = source.keyPlace([...path, written])
    return [{ rule: wrong.rule, severity: 'error', message: wrong.words.message, hint: wrong.words.hint, place }]
  })
}

function mistake(
  written: string,
  value: unknown,
  before: string | undefined,
): { readonly rule: string; readonly words: Words } | undefined {
  const instead = insteadOf(written)
  if (!parameterNamePattern.test(written)) return { rule: 'wrong-parameter', words: wording.parameterName(written) }
  if (instead !== undefined) return { rule: 'reserved-parameter', words: wording.reservedParameter(written, instead) }
  if (before !== undefined) return { rule: 'duplicate-key', words: wording.parameterTwice(before, written) }
  if (written.toLowerCase() === 'hot_standby' && isOff(value))
    return { rule: 'wrong-parameter', words: wording.hotStandbyOff }
  // A string in postgresql.conf ends with its line.
  if (typeof value === 'string' && /[\r\n]/.test(value))
    return { rule: 'wrong-parameter', words: wording.parameterLines(written) }
  return undefined
}
