import type { z } from 'zod'
import { type DataPath, valueAt } from './data-path.js'
import type { Finding, SourcePlace } from './finding.js'
import { type Words, wording } from './wording.js'
import type { YamlSource } from './yaml-source.js'

/** The issues of the schema in the words of the user, each at its place in the file. */
export function shapeFindings(issues: readonly z.core.$ZodIssue[], source: YamlSource): Finding[] {
  const findings = issues.flatMap((issue) => issueFindings(issue, source))
  // A value can fail two checks of the schema; what it must be is said once.
  return findings.filter((finding, index) => findings.findIndex((other) => isSame(finding, other)) === index)
}

function issueFindings(issue: z.core.$ZodIssue, source: YamlSource): Finding[] {
  const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
  const find = (rule: string, { message, hint }: Words, place: SourcePlace | undefined): Finding => ({
    rule,
    severity: 'error',
    message,
    hint,
    place: place ?? source.start,
  })
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => find('unknown-key', wording.unknownKey(key, path), source.keyPlace([...path, key])))
  }
  // The names of parameters have a check of their own, which sees them also where a value is wrong.
  if (issue.code === 'invalid_key') return []
  const { value, present } = valueAt(source.data, path)
  if (!present) {
    const holder = path.slice(0, -1)
    return [find('missing-key', wording.missingKey(path, nodeName(source, holder)), source.valuePlace(holder))]
  }
  // What an alias could not give has a finding already.
  if (value === undefined) return []
  if (value === null) return [find('missing-value', wording.noValue(path), source.valuePlace(path))]
  return [find('wrong-value', wording.wrongValue(path, value, source.writtenText(path)), source.valuePlace(path))]
}

function nodeName(source: YamlSource, holder: DataPath): string | undefined {
  const { value } = valueAt(source.data, [...holder, 'name'])
  return typeof value === 'string' ? value : undefined
}

function isSame(a: Finding, b: Finding): boolean {
  return a.message === b.message && a.place?.line === b.place?.line && a.place?.column === b.place?.column
}
