import { expect, test } from 'vitest'
import { shownValue, withoutSecrets } from './without-secrets.js'

test.each([
  ['host=x password=hunter2 port=1', 'host=x password=*** port=1'],
  ["password = 'hunter2 hunter2' host=x", 'password = *** host=x'],
  ['password=hunter\\ 2 host=x', 'password=*** host=x'],
  ['postgres://me:hunter2@x/db', 'postgres://me:***@x/db'],
  ['PGPASSWORD=hunter2 copy %p', 'PGPASSWORD=*** copy %p'],
  ['AWS_SECRET_ACCESS_KEY="hunter 2" copy %p', 'AWS_SECRET_ACCESS_KEY=*** copy %p'],
  [
    'host all all all ldap ldapserver=x ldapbindpasswd=hunter2',
    'host all all all ldap ldapserver=x ldapbindpasswd=***',
  ],
  ['host all all all radius radiussecrets="hunter2,hunter2"', 'host all all all radius radiussecrets=***'],
])('shows no secret of %s', (text, shown) => {
  expect(withoutSecrets(text)).toBe(shown)
  expect(withoutSecrets(shown)).toBe(shown)
})

test.each(['user=x passfile=/srv/db2/maestra.pgpass', 'scram-sha-256', '16MB'])('leaves %s as it is', (text) => {
  expect(withoutSecrets(text)).toBe(text)
})

test.each(['ssl_passphrase_command', 'myext.api_token', 'MyExt.Api_Key', 'app.db_password', 'app.secret_of_all'])(
  'shows nothing of what %s says',
  (name) => {
    expect(shownValue(name, 'hunter2')).toBe('***')
    expect(shownValue(name, '')).toBe("''")
  },
)

test.each([
  ['password_encryption', 'md5'],
  ['ssl_key_file', '/srv/server.key'],
  ['ssl_passphrase_command_supports_reload', 'on'],
  ['work_mem', '16MB'],
])('shows what %s says', (name, value) => {
  expect(shownValue(name, value)).toBe(value)
})
