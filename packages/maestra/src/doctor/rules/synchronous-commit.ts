import type { Finding } from '../../cluster/finding.js'
import { declaredWord } from '../parameter-value.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'
import { synchronousNames } from '../synchronous-names.js'

/** A level of synchronous_commit that is about standbys has standbys to be about. */
export const synchronousCommit: Rule = {
  name: 'synchronous-commit',
  why: 'Without synchronous_standby_names no commit waits for a standby, so that remote_write and remote_apply mean no more than on.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node): Finding[] => {
      const level = declaredWord(node, 'synchronous_commit')
      const isRemote = level === 'remote_write' || level === 'remote_apply'
      if (!isRemote || synchronousNames(node) !== 'none') return []
      return [
        {
          rule: 'synchronous-commit',
          severity: 'warning',
          message: `\`synchronous_commit\` is ${level} and \`synchronous_standby_names\` is empty: no commit waits for a standby`,
          hint: "declare who is waited for, for example `synchronous_standby_names: 'ANY 1 (*)'`",
          place: parameterPlace(view, node, 'synchronous_commit'),
        },
      ]
    })
  },
}
