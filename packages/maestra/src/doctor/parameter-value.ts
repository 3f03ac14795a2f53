import { parseBoolean } from '@maestra/client/postgres/setting-value'
import { parseSettingInteger } from '@maestra/client/postgres/settings'
import type { DeclaredNode } from '../cluster/declared-cluster.js'

/** Whether a node declares a parameter as true; false for what is no boolean, and for silence. */
export function isOn(node: DeclaredNode, parameter: string): boolean {
  try {
    return parseBoolean(node.parameters[parameter] ?? 'off')
  } catch {
    return false
  }
}

/**
 * The value that a node declares, in the unit of the setting. Undefined for silence and for what is no number:
 * PostgreSQL itself refuses that, with its line.
 */
export function declaredNumber(node: DeclaredNode, parameter: string): number | undefined {
  const declared = node.parameters[parameter]
  try {
    return declared === undefined ? undefined : parseSettingInteger(parameter, declared)
  } catch {
    return undefined
  }
}

/** A value of few words, which PostgreSQL reads in any case; the empty text for silence. */
export function declaredWord(node: DeclaredNode, parameter: string): string {
  return (node.parameters[parameter] ?? '').toLowerCase()
}
