import { short, type Words } from './wording.js'

/**
 * What the YAML parser complains about, in the words of somebody who writes a cluster file. `written` is the text
 * that it points at.
 */
export function yamlErrorWords(code: string, message: string, written: string): Words {
  switch (code) {
    case 'BAD_INDENT':
      return /^flow/i.test(message)
        ? { message: 'this bracket is not closed, or what is inside of it is indented too little' }
        : { message: 'this line is indented differently from those that it belongs to' }
    case 'BAD_SCALAR_START':
      return {
        message: `a value without quotes cannot begin with \`${short(written.slice(0, 1))}\``,
        hint: 'put the value in quotes',
      }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a value cannot hold another `key: value`',
        hint: 'indent the line below as this one, or put the value in quotes when the colon belongs to it',
      }
    case 'MISSING_CHAR':
      if (/quote/.test(message)) return { message: 'this quote is not closed' }
      break
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message: 'this line is neither `key: value` nor an entry of a list',
        hint: 'a key is followed by a colon and a space',
      }
    case 'MULTIPLE_DOCS':
      return {
        message: 'the file holds more than one YAML document',
        hint: 'one file declares one cluster: take out the `---` and what follows',
      }
    case 'TAB_AS_INDENT':
      return { message: 'a tab cannot indent a line', hint: 'use spaces' }
    case 'TAG_RESOLVE_FAILED':
      return {
        message: `the tag \`${short(written)}\` means nothing in a cluster file`,
        hint: 'put the value in quotes when it begins with an exclamation mark',
      }
    case 'UNEXPECTED_TOKEN':
      return /block-seq-ind/.test(message)
        ? { message: 'a list cannot begin in the line of its key', hint: 'begin a new line' }
        : { message: `\`${short(written.trim())}\` does not belong here` }
  }
  return { message: `this is not YAML: ${short(message.charAt(0).toLowerCase() + message.slice(1))}` }
}
