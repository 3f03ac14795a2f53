/**
 * What a read asks for: `session` (the default) all that its scope wrote, `strong` all that anybody's commit had made visible
 * on the primary when the read was issued, `eventual` nothing.
 */
export const consistencies = ['session', 'strong', 'eventual'] as const

export type Consistency = (typeof consistencies)[number]

/** @public */
export function isConsistency(value: unknown): value is Consistency {
  return (consistencies as readonly unknown[]).includes(value)
}
