import { settingMajors } from '@maestra/client/postgres/setting-majors'
import type { Finding } from '../../cluster/finding.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'

/** The declared major version has the parameters that are declared. */
export const settingsOfMajor: Rule = {
  name: 'settings-of-major',
  why: 'PostgreSQL does not start with a parameter that its version does not have.',
  check(view) {
    const major = view.declared?.postgres.version ?? 0
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node) =>
      Object.keys(node.parameters).flatMap((name): Finding[] => {
        const { since, until, successor } = settingMajors(name)
        const why =
          since !== undefined && major < since
            ? `it came with ${since}`
            : until !== undefined && major > until
              ? `it went with ${until + 1}`
              : undefined
        if (why === undefined) return []
        return [
          {
            rule: 'settings-of-major',
            severity: 'error',
            message: `PostgreSQL ${major} has no \`${name}\`: ${why}`,
            hint: successor === undefined ? 'leave it out' : `declare \`${successor}\` instead`,
            place: parameterPlace(view, node, name),
          },
        ]
      }),
    )
  },
}
