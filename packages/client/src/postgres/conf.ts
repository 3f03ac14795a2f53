import { badValue, quoted } from './bad-value.js'

/**
 * One line of postgresql.conf. `text` is the whole line with its line ending, so that the texts of all lines are the file.
 * `name` (lower case) and `value` (without quotes) are there on a line that sets something or includes a file; a line that PostgreSQL would refuse is `invalid`.
 */
export type ConfLine =
  | { readonly kind: 'setting' | 'include'; readonly text: string; readonly name: string; readonly value: string }
  | { readonly kind: 'blank' | 'invalid'; readonly text: string }

const includeNames: readonly string[] = ['include', 'include_if_exists', 'include_dir']

const letter = 'A-Za-z_\\u0080-\\uffff'
const word = `[${letter}][${letter}0-9]*`
/**
 * What may be a value, without quotes a name, a word or a number. Two names with a dot between need quotes:
 * PostgreSQL takes them for the name of a setting.
 */
const valueToken = [
  "'(?:[^'\\\\]|\\\\.|'')*'",
  `(?!${word}\\.${word}[ \\t\\r]*(?:#|$))[${letter}][${letter}0-9.:/-]*`,
  '[+-]?(?:0x[0-9A-Fa-f]+|[0-9]+)[A-Za-z]*',
  '[+-]?[0-9]*\\.[0-9]*(?:[Ee][+-]?[0-9]+)?',
].join('|')
/**
 * A line as src/backend/utils/misc/guc-file.l reads it: a name, a = that may be left out, a value and a comment. No
 * value goes over the end of a line.
 */
const settingPattern = new RegExp(
  `^[ \\t\\r]*(${word}(?:\\.${word})?)(?:[ \\t\\r]*=[ \\t\\r]*|[ \\t\\r]+|(?=['+]))(${valueToken})[ \\t\\r]*(?:#.*)?$`,
  's',
)

/**
 * Every text is some file: what PostgreSQL would refuse becomes an `invalid` line. printConf gives the text back; a
 * file that is not UTF-8 has to be read, and written, as latin1 for that.
 */
export function parseConf(text: string): ConfLine[] {
  return (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).map(confLineOf)
}

/** @internal */
export function printConf(lines: readonly ConfLine[]): string {
  return lines.map((line) => line.text).join('')
}

function confLineOf(text: string): ConfLine {
  const content = text.endsWith('\n') ? text.slice(0, -1) : text
  if (/^[ \t\r]*(?:#.*)?$/s.test(content)) return { kind: 'blank', text }
  const [, name, token] = settingPattern.exec(content) ?? []
  if (name === undefined || token === undefined) return { kind: 'invalid', text }
  // PostgreSQL folds ASCII letters only.
  const lower = name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
  return { kind: includeNames.includes(lower) ? 'include' : 'setting', text, name: lower, value: settingValue(token) }
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }

function settingValue(token: string): string {
  if (!token.startsWith("'")) return token
  const content = token.slice(1, -1)
  if (!/['\\\0]/.test(content)) return content
  const pieces = [...content.matchAll(/''|\\([0-7]{1,3})|\\(.)|[^'\\]+/gs)].map(([piece, octal, escaped]) => {
    // An octal escape is a byte, so that several can make up one character.
    if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8) & 0xff)
    if (escaped !== undefined) return Buffer.from(escapes[escaped] ?? escaped)
    return Buffer.from(piece === "''" ? "'" : piece)
  })
  const [beforeNul = ''] = Buffer.concat(pieces).toString().split('\0', 1)
  return beforeNul
}

/** What the text itself sets, not what it includes. The last one wins, as in PostgreSQL; names in lower case. */
export function settingsOf(text: string): Record<string, string> {
  return Object.fromEntries(settingLines(text).map(({ name, value }) => [name, value]))
}

/** Every line of the text that sets something, in order; lines count from 1, names are in lower case. */
export function settingLines(text: string): { readonly line: number; readonly name: string; readonly value: string }[] {
  return parseConf(text).flatMap((found, index) =>
    found.kind === 'setting' ? [{ line: index + 1, name: found.name, value: found.value }] : [],
  )
}

/** The file without the lines that set one of these names; all else stays byte for byte. */
export function withoutSettings(text: string, names: readonly string[]): string {
  const unwanted = new Set(names.map((name) => name.toLowerCase()))
  return printConf(parseConf(text).filter((line) => line.kind !== 'setting' || !unwanted.has(line.name)))
}

/** Whether the text includes that file, by `include` or by `include_if_exists`. */
export function hasInclude(text: string, file: string): boolean {
  return includeLine(text, file) !== undefined
}

/** The last line by which the text includes that file, counted from 1. What is set below it wins over the file. */
export function includeLine(text: string, file: string): number | undefined {
  const index = parseConf(text).findLastIndex((line) => isIncludeOf(line, file))
  return index < 0 ? undefined : index + 1
}

/** Whether what the text sets is not all that counts: it includes other files. */
export function includesFiles(text: string): boolean {
  return parseConf(text).some((line) => line.kind === 'include')
}

function isIncludeOf(line: ConfLine, file: string): boolean {
  return line.kind === 'include' && line.name !== 'include_dir' && line.value === file
}

/**
 * The text with the file included at its end, where the file's settings win over all before. Unchanged when the text
 * includes the file already. Throws bad-value for a name with a line ending.
 */
export function withInclude(text: string, file: string): string {
  if (hasInclude(text, file)) return text
  const ending = text.includes('\r\n') ? '\r\n' : '\n'
  const joint = text === '' || text.endsWith('\n') ? '' : ending
  return `${text}${joint}# Maestra keeps its settings in this file; what is set below this line wins over it.${ending}include_if_exists ${quotedValue('include_if_exists', file)}${ending}`
}

/**
 * The text as it is with the file's own lines in the place of what includes it, at the end where nothing does.
 */
export function withIncluded(text: string, file: string, content: string): string {
  const lines = parseConf(withInclude(text, file)).map((line) =>
    isIncludeOf(line, file) ? (content.endsWith('\n') ? content : `${content}\n`) : line.text,
  )
  return lines.join('')
}

/**
 * A name that the file can hold. SET takes more, with $ or with several dots; in the file these are syntax errors,
 * and PostgreSQL then refuses all of it.
 */
const namePattern = /^[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?$/

/**
 * A file of settings in the given order, below a comment. Throws bad-value for a name that is none, and for a value
 * with a line ending or a NUL.
 */
export function formatSettings(header: string, settings: Readonly<Record<string, string>>): string {
  const comment = header === '' ? [] : header.split(/\r\n|[\n\r]/).map((line) => (line === '' ? '#' : `# ${line}`))
  const lines = Object.entries(settings).map(([name, value]) => {
    if (!namePattern.test(name) || includeNames.includes(name.toLowerCase()))
      throw badValue(
        `${quoted(name)} is not the name of a setting`,
        'A name is made of letters, digits and underscores, with a dot after the name of an extension.',
      )
    return `${name} = ${quotedValue(name, value)}`
  })
  return [...comment, ...lines].map((line) => `${line}\n`).join('')
}

/** The message leaves out the value: primary_conninfo may hold a password. */
function quotedValue(name: string, value: string): string {
  if (/[\n\r\0]/.test(value))
    throw badValue(`the value of ${name} holds a line ending or a NUL character`, 'Write the value on one line.')
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
