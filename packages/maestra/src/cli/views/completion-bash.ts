import type { CommandNode } from '../command-tree.js'
import { caseLines, completionTables, quoted } from './completion-tables.js'

/** A script for bash from 3.2 on. */
export function bashCompletion(tree: readonly CommandNode[]): string {
  const tables = completionTables(tree)
  const paths = tables.commandPaths.map(quoted).join(' | ')
  const words = tree.map(({ path, commands }) => [path, commands.map(({ name }) => name).join(' ')] as const)
  const options = tree.map((node) => [node.path, node.options.flatMap(({ flags }) => flags).join(' ')] as const)
  return `# Completion of maestra for bash, printed by: maestra completion bash
_maestra_names() {
  "\${COMP_WORDS[0]}" complete-words "$1" -- "\${COMP_WORDS[@]:1}" 2>/dev/null
}

_maestra_reply() {
  local IFS=$' \\t\\n'
  case "$1" in
    choices:*) COMPREPLY+=($(compgen -W "\${1#choices:}" -- "$cur")) ;;
    names:*) COMPREPLY+=($(compgen -W "$(_maestra_names "\${1#names:}")" -- "$cur")) ;;
    files) compopt -o filenames 2>/dev/null; IFS=$'\\n'; COMPREPLY+=($(compgen -f -- "$cur")) ;;
    directories) compopt -o filenames 2>/dev/null; IFS=$'\\n'; COMPREPLY+=($(compgen -d -- "$cur")) ;;
  esac
}

_maestra() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path= key= value= count=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    # bash takes --file=x for three words.
    if [[ \${COMP_WORDS[i]} == = ]]; then continue; fi
    if [[ -n $value ]]; then value=; continue; fi
    key="\${path:+$path }\${COMP_WORDS[i]}"
    case "$key" in
      ${paths}) path=$key; count=0 ;;
      ${caseLines(tables.optionValues, (text) => `value=${quoted(text)}`).join('\n      ')}
      -* | *' '-*) ;;
      *) count=$((count + 1)) ;;
    esac
  done
  if [[ $cur == = ]]; then cur=; fi
  if [[ -n $value ]]; then _maestra_reply "$value"; return; fi
  if [[ $cur == -* ]]; then
    case "$path" in
      ${caseLines(options, (text) => `_maestra_reply ${quoted(`choices:${text}`)}`).join('\n      ')}
    esac
    return
  fi
  case "$path" in
    ${caseLines(
      words.filter(([, text]) => text !== ''),
      (text) => `_maestra_reply ${quoted(`choices:${text}`)}`,
    ).join('\n    ')}
  esac
  case "\${path:+$path }$count" in
    ${caseLines(tables.arguments, (text) => `_maestra_reply ${quoted(text)}`).join('\n    ')}
  esac
}

complete -F _maestra maestra
`
}
