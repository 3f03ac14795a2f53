import type { CommandNode } from '../command-tree.js'
import { caseLines, completionTables, quoted } from './completion-tables.js'

/** A script for zsh: to be sourced, or to be put into a directory of \`fpath\` as \`_maestra\`. */
export function zshCompletion(tree: readonly CommandNode[]): string {
  const tables = completionTables(tree)
  const paths = tables.commandPaths.map(quoted).join(' | ')
  const described = (pairs: readonly { readonly name: string; readonly description: string }[]) =>
    pairs.map(({ name, description }) => quoted(`${name.replaceAll(':', '\\:')}:${description}`)).join(' ')
  const commands = tree.map((node) => [node.path, described(node.commands)] as const)
  const options = tree.map(
    ({ path, options: all }) =>
      [path, described(all.flatMap(({ flags, description }) => flags.map((name) => ({ name, description }))))] as const,
  )
  return `#compdef maestra
# Completion of maestra for zsh, printed by: maestra completion zsh
_maestra_names() {
  "\${words[1]}" complete-words "$1" -- "\${(@)words[2,-1]}" 2>/dev/null
}

_maestra_reply() {
  case "$1" in
    choices:*) compadd -- \${=1#choices:} ;;
    names:*) compadd -- \${(f)"$(_maestra_names "\${1#names:}")"} ;;
    files) _files ;;
    directories) _files -/ ;;
  esac
}

_maestra() {
  local at= key= value= i
  local -i count=0
  local -a described
  for ((i = 2; i < CURRENT; i++)); do
    if [[ -n $value ]]; then value=; continue; fi
    key="\${at:+$at }\${words[i]}"
    case "$key" in
      ${paths}) at=$key; count=0 ;;
      ${caseLines(tables.optionValues, (text) => `value=${quoted(text)}`).join('\n      ')}
      -* | *' '-*) ;;
      *) count+=1 ;;
    esac
  done
  if [[ -n $value ]]; then _maestra_reply "$value"; return; fi
  if [[ \${words[CURRENT]} == -* ]]; then
    case "$at" in
      ${caseLines(options, (text) => `described=(${text})`).join('\n      ')}
    esac
    _describe -o option described
    return
  fi
  case "$at" in
    ${caseLines(
      commands.filter(([, text]) => text !== ''),
      (text) => `described=(${text}); _describe command described`,
    ).join('\n    ')}
  esac
  case "\${at:+$at }$count" in
    ${caseLines(tables.arguments, (text) => `_maestra_reply ${quoted(text)}`).join('\n    ')}
  esac
}

if [[ \${funcstack[1]} == _maestra ]]; then _maestra "$@"; else compdef _maestra maestra; fi
`
}
