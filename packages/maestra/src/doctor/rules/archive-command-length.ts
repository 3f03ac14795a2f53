import { archiveCommandBytes, longestArchiveCommandBytes } from '../../cluster/archive-commands.js'
import { withArchiveSettings } from '../../cluster/archive-settings.js'
import type { Finding } from '../../cluster/finding.js'
import { parameterPlace, placeOf } from '../place.js'
import type { Rule } from '../rule.js'

const parameter = 'archive_command'

/** PostgreSQL hands the whole archive_command to the shell. */
export const archiveCommandLength: Rule = {
  name: 'archive-command-length',
  why: 'PostgreSQL 14 and 15 cut archive_command off without a word. What is left fails, or does something else.',
  check(view) {
    const { declared } = view
    if (declared === undefined || declared.postgres.version > 15) return []
    return declared.nodes.flatMap((node, index): Finding[] => {
      const bytes = archiveCommandBytes(withArchiveSettings(declared, node).parameters[parameter] ?? '')
      const own = node.parameters[parameter] !== undefined
      // What follows from the directory is the same on every node.
      if (bytes <= longestArchiveCommandBytes || (!own && index > 0)) return []
      const over = `${bytes} bytes with the names filled in, and PostgreSQL ${declared.postgres.version} cuts it off after ${longestArchiveCommandBytes}`
      return [
        {
          rule: 'archive-command-length',
          severity: 'error',
          message: own
            ? `\`${parameter}\` has ${over}`
            : `the path of the archive is too long: the \`${parameter}\` with it has ${over}`,
          hint: own ? 'put it into a script, and declare that' : 'declare a shorter one, such as a link to it',
          place: own ? parameterPlace(view, node, parameter) : placeOf(view, ['archive', 'directory']),
        },
      ]
    })
  },
}
