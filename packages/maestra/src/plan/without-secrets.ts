/** What stands behind a word for a secret: quoted, or up to a blank. */
const value = `'(?:[^'\\\\]|\\\\.)*'|"[^"]*"|(?:\\\\.|[^\\s'"\\\\])+`
const named = new RegExp(`((?:pass(?:word|wd|phrase)|secret|token)\\w*\\s*=\\s*)(?:${value})`, 'gi')
/** Settings whose whole value is a secret, or a command that has one in it. */
const secretName = /pass(?:word|wd|phrase)|secret|token|key$/i
const plainNames: ReadonlySet<string> = new Set([
  'password_encryption',
  'md5_password_warnings',
  'ssl_passphrase_command_supports_reload',
])
const inUrl = /(:\/\/[^:@/\s]*:)[^@\s]*@/g

/**
 * A text to be shown, each password in it as `***`. Somebody may have written one into a connection string, into a
 * command that archives, or into a rule of pg_hba.conf (`ldapbindpasswd`, `radiussecrets`).
 */
export function withoutSecrets(text: string): string {
  return text.replace(named, '$1***').replace(inUrl, '$1***@')
}

/** A setting's value to be shown; all of it is `***` where the name tells of a secret (`myext.api_token`). */
export function shownValue(name: string, value: string): string {
  if (value === '') return "''"
  return secretName.test(name) && !plainNames.has(name.toLowerCase()) ? '***' : withoutSecrets(value)
}
