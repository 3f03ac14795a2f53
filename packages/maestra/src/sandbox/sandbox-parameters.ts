import { MaestraError } from '@maestra/client/base/error'
import { parsePlainInteger } from '@maestra/client/postgres/setting-value'
import { standbyMinimumSettings } from '@maestra/client/postgres/settings'

type Parameters = Readonly<Record<string, string>>

/** Refuses what would keep replicas from streaming. Names in any case, as in PostgreSQL. */
export function checkedParameters(parameters: Parameters): Parameters {
  for (const [name, value] of entriesOf(parameters)) {
    if (name === 'recovery_min_apply_delay') {
      throw new MaestraError('bad-value', `a sandbox takes no parameter ${name}: its replicas would never be ready`, {
        hint: `make a replica late when it is up: lag('${value}')`,
      })
    }
    if (name === 'recovery_target_timeline' && value !== 'latest') {
      const message = `the parameter ${name} of a sandbox cannot be ${value}: replicas could not follow a promotion`
      throw new MaestraError('bad-value', message, { hint: 'leave it out; PostgreSQL takes the latest by itself' })
    }
  }
  return parameters
}

/**
 * Whether a parameter is lower than what the template was made with. A standby starts with no less than what its own
 * pg_control says, so that a copy of the template would not start then.
 */
export function areLowerThanTemplate(parameters: Parameters): boolean {
  const minimums: Readonly<Record<string, number>> = standbyMinimumSettings
  return entriesOf(parameters).some(([name, value]) => {
    const minimum = Object.hasOwn(minimums, name) ? minimums[name] : undefined
    return minimum !== undefined && !(numberIn(value) >= minimum)
  })
}

function entriesOf(parameters: Parameters): readonly (readonly [name: string, value: string])[] {
  return Object.entries(parameters).map(([name, value]) => [name.toLowerCase(), value.trim()])
}

/** What is no number is left to the server to refuse. */
function numberIn(value: string): number {
  try {
    return parsePlainInteger(value)
  } catch {
    return Number.NaN
  }
}
