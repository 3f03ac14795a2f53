/** What stands behind a word for a secret: quoted, or up to a blank. */
const value = `'(?:[^'\\\\]|\\\\.)*'|"[^"]*"|(?:\\\\.|[^\\s'"\\\\])+`
const named = new RegExp(`((?:pass(?:word|wd|phrase)|secret|token)\\w*\\s*=\\s*)(?:${value})`, 'gi')
const inUrl = /(:\/\/[^:@/\s]*:)[^@\s]*@/g

/**
 * A text to be shown, each password in it as `***`. Somebody may have written one into a connection string, into a
 * command that archives, or into a rule of pg_hba.conf (`ldapbindpasswd`, `radiussecrets`).
 */
export function withoutSecrets(text: string): string {
  return text.replace(named, '$1***').replace(inUrl, '$1***@')
}
