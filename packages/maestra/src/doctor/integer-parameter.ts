import { parseSettingInteger, standbyMinimumSettings } from '@maestra/client/postgres/settings'
import type { DeclaredNode } from '../cluster/declared-cluster.js'

/** The settings that rules reckon with, and what PostgreSQL takes when none is declared. */
const defaults = { ...standbyMinimumSettings, max_replication_slots: 10 } as const

export type IntegerParameter = keyof typeof defaults

export type IntegerValue = {
  readonly value: number
  /** `is 5`, or `is 10 by default` when the file does not say. */
  readonly words: string
}

/** What a node will run with. Undefined for a value that is no whole number: to refuse it is another rule's part. */
export function integerParameter(node: DeclaredNode, name: IntegerParameter): IntegerValue | undefined {
  const declared = node.parameters[name]
  if (declared === undefined) return { value: defaults[name], words: `is ${defaults[name]} by default` }
  try {
    const value = parseSettingInteger(name, declared)
    return { value, words: `is ${value}` }
  } catch {
    return undefined
  }
}

export const integerParameters = Object.keys(defaults) as readonly IntegerParameter[]
