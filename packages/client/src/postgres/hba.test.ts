import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatHbaLine,
  type HbaLine,
  hbaAddress,
  hbaBlockLine,
  hbaBlockOf,
  hbaName,
  parseHba,
  withHbaBlock,
} from './hba.js'

const rulesOf = (text: string) => parseHba(text).flatMap(({ rule }) => (rule === undefined ? [] : [rule]))

const replication: HbaLine = {
  type: 'host',
  database: 'replication',
  user: 'maestra',
  address: '127.0.0.1/32',
  method: 'scram-sha-256',
}
const block =
  '# BEGIN maestra: written by Maestra, which replaces what stands up to the line END\nhost replication maestra 127.0.0.1/32 scram-sha-256\n# END maestra\n'

/** Texts as they may surround our block: lines of any kind, without our marks. */
const otherText = fc
  .array(
    fc.oneof(
      fc.constantFrom('local all all trust\n', '# c\r\n', '\n', ' ', '\\\n', '"', 'host all all ::1/128 md5'),
      fc.string(),
    ),
  )
  .map((pieces) => pieces.join('').replace(/# (BEGIN|END) maestra/g, ''))

const name = fc.string({ minLength: 1 }).filter((text) => !/[\n\r\0]/.test(text) && !text.startsWith('/'))
const anyLine: fc.Arbitrary<HbaLine> = fc
  .record({
    type: fc.constantFrom('local', 'host', 'hostssl', 'hostnossl', 'hostgssenc', 'hostnogssenc'),
    database: fc.oneof(name.map(hbaName), fc.constantFrom('all', 'replication', 'a,b', 'a, "b c"')),
    user: fc.oneof(name.map(hbaName), fc.constantFrom('all', '+staff', '@file')),
    address: fc.constantFrom('10.0.0.0/8', '10.0.0.0 255.0.0.0', '::1/128', 'samenet', '.example.org', 'all'),
    method: fc.constantFrom('trust', 'reject', 'scram-sha-256'),
    options: fc.option(fc.constantFrom('map=x', 'map=x clientcert=verify-full'), { nil: undefined }),
  })
  .map(({ type, address, options, ...rest }) => ({
    type,
    ...rest,
    ...(type === 'local' ? {} : { address }),
    ...(options === undefined ? {} : { options }),
  }))

describe('parseHba', () => {
  // What pg_hba_file_rules of 14, 16 and 18 showed for each.
  it.each<[string, HbaLine]>([
    ['local all all trust', { type: 'local', database: 'all', user: 'all', method: 'trust' }],
    ['host\treplication  maestra 10.0.0.0/8 scram-sha-256', { ...replication, address: '10.0.0.0/8' }],
    [
      'host all all 10.0.0.0 255.0.0.0 md5',
      { type: 'host', database: 'all', user: 'all', address: '10.0.0.0 255.0.0.0', method: 'md5' },
    ],
    [
      'hostssl a,b +g .example cert map=x clientcert=verify-full # c',
      {
        type: 'hostssl',
        database: 'a,b',
        user: '+g',
        address: '.example',
        method: 'cert',
        options: 'map=x clientcert=verify-full',
      },
    ],
    ['host a, b u samenet trust', { type: 'host', database: 'a, b', user: 'u', address: 'samenet', method: 'trust' }],
    ['host a ,b u trust', { type: 'host', database: 'a', user: 'b', address: 'u', method: 'trust' }],
    ['local "a b" "x""y#,"z trust#c', { type: 'local', database: '"a b"', user: '"x""y#,"z', method: 'trust' }],
    ['local all \\\n  all trust\r', { type: 'local', database: 'all', user: 'all', method: 'trust' }],
  ])('reads %j', (text, rule) => {
    expect(parseHba(`${text}\n`)).toEqual([{ text: `${text}\n`, rule }])
  })

  it.each([
    '',
    '# host all all all trust',
    '  \t',
    'host all all',
    'host all all 10.0.0.1 trust',
    'local all',
    'hosts all all all trust',
    "include 'x'",
    '# c \\\nlocal all all trust',
  ])('finds no rule in %j', (text) => {
    expect(rulesOf(text)).toEqual([])
  })

  it('keeps every text', () => {
    fc.assert(
      fc.property(
        otherText,
        (text) =>
          parseHba(text)
            .map((line) => line.text)
            .join('') === text,
      ),
    )
  })
})

describe('formatHbaLine', () => {
  it('writes one line', () => {
    expect(formatHbaLine(replication)).toBe('host replication maestra 127.0.0.1/32 scram-sha-256')
    expect(formatHbaLine({ type: 'local', database: 'all', user: '"a b"', method: 'peer', options: 'map=x' })).toBe(
      'local all "a b" peer map=x',
    )
  })

  it('is undone by parseHba, for every rule', () => {
    fc.assert(
      fc.property(anyLine, (line) => {
        expect(rulesOf(formatHbaLine(line))).toEqual([line])
      }),
    )
  })

  it.each(['', 'a b', 'a#b', '"open', 'a\nb', 'a,', ',a', 'a"b', '#'])(
    'refuses %j where one field has to stand',
    (part) => {
      expect(() => formatHbaLine({ ...replication, user: part })).toThrow(
        expect.objectContaining({
          code: 'bad-value',
          message: `${JSON.stringify(part)} is not one field of pg_hba.conf`,
        }),
      )
      expect(() => formatHbaLine({ ...replication, method: part })).toThrow(
        expect.objectContaining({ code: 'bad-value' }),
      )
    },
  )

  it('refuses a backslash that would join the next rule', () => {
    expect(() => formatHbaLine({ ...replication, method: 'trust\\' })).toThrow(
      /^the method "trust\\\\" cannot end a line/,
    )
  })

  it('refuses an address for local, none for host, and options over several lines', () => {
    const { address: _, ...withoutAddress } = replication
    expect(() => formatHbaLine(withoutAddress)).toThrow('a rule of type host needs an address')
    expect(() => formatHbaLine({ ...replication, type: 'local' })).toThrow('a rule of type local has no address')
    expect(() => formatHbaLine({ ...replication, options: 'map=x\nlocal all all trust' })).toThrow(
      /^the options "map=x\\nlocal/,
    )
  })
})

describe('hbaName', () => {
  it.each([
    ['maestra', 'maestra'],
    ['app-db_1', 'app-db_1'],
    ['all', '"all"'],
    ['replication', '"replication"'],
    ['+staff', '"+staff"'],
    ['@file', '"@file"'],
    ['a b', '"a b"'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['é', '"é"'],
  ])('writes %j as %s', (text, written) => {
    expect(hbaName(text)).toBe(written)
  })

  it.each(['', '/x', 'a\nb', 'a\0'])('refuses %j', (text) => {
    expect(() => hbaName(text)).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })
})

describe('withHbaBlock', () => {
  it('puts the block above all else', () => {
    expect(withHbaBlock('local all all trust\n', [replication])).toBe(`${block}local all all trust\n`)
    expect(withHbaBlock('', [replication])).toBe(block)
  })

  it('replaces an older block, wherever it stands', () => {
    expect(withHbaBlock('# BEGIN maestra\nold\n# END maestra\nrest', [replication])).toBe(`${block}rest`)
    expect(withHbaBlock('first\n# BEGIN maestra 0.1\r\nold\r\n# END maestra\r\nrest', [replication])).toBe(
      `${block}first\nrest`,
    )
    expect(withHbaBlock(`first\n${block.trimEnd()}`, [replication])).toBe(`${block}first\n`)
  })

  it('takes the block out when there is no line for it', () => {
    expect(withHbaBlock(`a\n${block}b\n`, [])).toBe('a\nb\n')
    expect(withHbaBlock('a\nb\n', [])).toBe('a\nb\n')
  })

  it('leaves everything outside of the block as it is, and changes nothing a second time', () => {
    const lines = fc.array(anyLine, { maxLength: 3 })
    fc.assert(
      fc.property(otherText, lines, lines, (text, older, newer) => {
        const once = withHbaBlock(text, newer)
        expect(once.endsWith(text)).toBe(true)
        expect(withHbaBlock(once, newer)).toBe(once)
        expect(withHbaBlock(withHbaBlock(text, older), newer)).toBe(once)
        expect(withHbaBlock(once, [])).toBe(text)
        expect(rulesOf(hbaBlockOf(once) ?? '')).toEqual(newer)
      }),
    )
  })

  it.each([
    ['a\n# BEGIN maestra\nb\n', 'line 2 of pg_hba.conf begins a block of Maestra that nothing ends'],
    ['a\nb\n# END maestra\n', 'line 3 of pg_hba.conf ends a block of Maestra that nothing begins'],
    ['# END maestra\n# BEGIN maestra\n', 'line 1 of pg_hba.conf ends a block of Maestra before it begins'],
    [`${block}${block}`, 'line 4 of pg_hba.conf begins a second block of Maestra'],
    [`${block}# END maestra`, 'line 4 of pg_hba.conf ends a block of Maestra a second time'],
  ])('refuses the damaged block in %j', (text, message) => {
    expect(() => withHbaBlock(text, [replication])).toThrow(expect.objectContaining({ code: 'bad-value', message }))
    expect(() => hbaBlockOf(text)).toThrow(message)
  })

  it('does not take a word that begins like our mark for it', () => {
    expect(withHbaBlock('# BEGIN maestral\n', [])).toBe('# BEGIN maestral\n')
  })
})

describe('hbaBlockOf', () => {
  it('gives what stands between the marks', () => {
    expect(hbaBlockOf(`a\n${block}b`)).toBe('host replication maestra 127.0.0.1/32 scram-sha-256\n')
    expect(hbaBlockOf('# BEGIN maestra\n# END maestra')).toBe('')
    expect(hbaBlockOf('local all all trust\n')).toBeUndefined()
  })
})

describe('hbaBlockLine', () => {
  const line = { type: 'local', database: 'all', user: 'all', method: 'peer' } as const

  it('is the line at which the content of the block begins', () => {
    const text = withHbaBlock('# a user wrote this\n', [line])
    expect(hbaBlockLine(text)).toBe(2)
    expect(hbaBlockLine(`# moved\n\n${text}`)).toBe(4)
    expect(text.split('\n')[1]).toBe(hbaBlockOf(text)?.trim())
    expect(hbaBlockLine('local all all peer\n')).toBeUndefined()
  })
})

describe('hbaAddress', () => {
  it.each([
    ['127.0.0.1', ['127.0.0.1/32']],
    ['::1', ['::1/128']],
    ['2001:db8::5', ['2001:db8::5/128']],
    ['localhost', ['127.0.0.1/32', '::1/128']],
    ['10.0.0.0/8', ['10.0.0.0/8']],
    ['fd00::/8', ['fd00::/8']],
    ['0.0.0.0/0', ['0.0.0.0/0']],
    ['db1.example.org', ['db1.example.org']],
    ['.example.org', ['.example.org']],
    ['db1', ['db1']],
    ['samenet', ['samenet']],
  ])('writes %s as %j', (host, addresses) => {
    expect(hbaAddress(host)).toEqual(addresses)
  })

  it.each([
    '',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0',
    '256.1.1.1',
    '10.0.0.1/',
    '/8',
    'a b',
    'a,b',
    'db1#',
    '"db1"',
    '[::1]',
    '*',
    '-db',
    'db1.',
    'a\nb',
    'db1/24',
  ])('refuses %j', (host) => {
    expect(() => hbaAddress(host)).toThrow(`${JSON.stringify(host)} is not an address`)
  })
})
