import { withArchiveSettings } from '../../cluster/archive-settings.js'
import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { declaredWord, isOn } from '../parameter-value.js'
import { parameterPlace } from '../place.js'
import type { Rule, View } from '../rule.js'

/** WAL that is to be archived goes somewhere, and into a file of its own. */
export const archiving: Rule = {
  name: 'archiving',
  why: 'A segment of WAL is kept until its archiving has succeeded. Archiving that cannot succeed fills the disk, and a command that overwrites files can destroy an older archive.',
  check(view) {
    const { declared } = view
    if (declared === undefined) return []
    const major = declared.postgres.version
    const archives = (node: DeclaredNode) =>
      isOn(node, 'archive_mode') || declaredWord(node, 'archive_mode') === 'always'
    return declared.nodes.flatMap((node) => {
      const whole = withArchiveSettings(declared, node)
      if (!archives(whole)) return []
      const { archive_command: command = '', archive_library: library = '' } = whole.parameters
      const said = mistake(major, command, library)
      return said === undefined ? [] : [finding(view, node, said)]
    })
  },
}

type Said = Pick<Finding, 'severity' | 'message' | 'hint'> & { readonly parameter: string }

function mistake(major: number, command: string, library: string): Said | undefined {
  if (command === '' && library === '') return nowhere
  if (library !== '') return command === '' || major < 16 ? undefined : both
  return unknownPlaceholder(major, command) ?? withoutFile(command) ?? overwriting(command)
}

const nowhere: Said = {
  parameter: 'archive_mode',
  severity: 'warning',
  message: '`archive_mode` is on without an `archive_command`: WAL is kept for ever',
  hint: 'declare the command, or leave `archive_mode` out',
}

/** Since 16 the archiver ends with an error, and is started again, for ever. */
const both: Said = {
  parameter: 'archive_library',
  severity: 'error',
  message: '`archive_command` and `archive_library` are both set: PostgreSQL archives nothing',
  hint: 'declare one of them',
}

/** Seen on 16 and 18: the archiver fails. On 14 and 15 the shell gets both characters as they are. */
function unknownPlaceholder(major: number, command: string): Said | undefined {
  const [placeholder] = command.replaceAll(/%[pf%]/g, '').match(/%./s) ?? []
  if (placeholder === undefined) return undefined
  const refused = major >= 16
  return {
    parameter: 'archive_command',
    severity: refused ? 'error' : 'warning',
    message: `\`archive_command\` has ${JSON.stringify(placeholder)}, which ${refused ? 'PostgreSQL refuses: it archives nothing' : 'stands for nothing'}`,
    hint: 'there are %p, the path of the file, and %f, its name; a percent sign is written %%',
  }
}

/** Commands that are there to archive nothing. */
const idle = /^(?:(?:\/usr)?\/bin\/true|true|:|exit 0)$/

function withoutFile(command: string): Said | undefined {
  if (/%[pf]/.test(command.replaceAll('%%', '')) || idle.test(command.trim())) return undefined
  return {
    parameter: 'archive_command',
    severity: 'warning',
    message: '`archive_command` has neither %p nor %f: it cannot know which file to archive',
    hint: 'put %p for the path of the file and %f for its name',
  }
}

function overwriting(command: string): Said | undefined {
  const [, options] = /^\s*(?:\S*\/)?cp\s((?:\s*-\S+\s)*)/.exec(command) ?? []
  if (options === undefined || /(?:^|\s)-[a-z]*[niu]|--(?:no-clobber|interactive|update)/i.test(options))
    return undefined
  return {
    parameter: 'archive_command',
    severity: 'warning',
    message: '`archive_command` copies over a file of the same name, which may be another server’s WAL',
    hint: 'have it fail instead: test ! -f /archive/%f && cp %p /archive/%f',
  }
}

function finding(view: View, node: DeclaredNode, { parameter, ...said }: Said): Finding {
  return { ...said, rule: 'archiving', place: parameterPlace(view, node, parameter) }
}
