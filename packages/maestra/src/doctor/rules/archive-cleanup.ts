import { standbysOf } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'

const parameter = 'archive_cleanup_command'

/** No standby cleans up an archive that another one restores from. */
export const archiveCleanup: Rule = {
  name: 'archive-cleanup',
  why: 'A standby runs archive_cleanup_command with what it needs itself. The file that it removes may be one that another standby has yet to restore.',
  check(view) {
    const standbys = view.declared === undefined ? [] : standbysOf(view.declared)
    const commands = standbys.map((standby) => standby.parameters[parameter] ?? '')
    return standbys.flatMap((standby, index): Finding[] => {
      const command = commands[index] ?? ''
      const same = commands.filter((other) => other === command).length
      if (command === '' || same < 2) return []
      return [
        {
          rule: 'archive-cleanup',
          severity: 'warning',
          message: `${same} standbys have the same \`${parameter}\`: each removes WAL that another may still need`,
          hint: 'let it run on one, with an archive of its own, or remove old WAL by the age of the backups',
          place: parameterPlace(view, standby, parameter),
        },
      ]
    })
  },
}
