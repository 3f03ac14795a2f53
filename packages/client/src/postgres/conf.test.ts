import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  formatSettings,
  hasInclude,
  includeLine,
  parseConf,
  printConf,
  settingLines,
  settingsOf,
  withInclude,
  withIncluded,
  withoutSettings,
} from './conf.js'

/** Texts in which what matters to the grammar is frequent. */
const confText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'port',
        'a.b',
        '=',
        ' ',
        '\t',
        '\r',
        '\n',
        "'",
        "''",
        '\\',
        '#',
        '5432',
        '.',
        '-',
        'é',
        'include',
        "'x'",
      ),
      fc.string(),
    ),
  )
  .map((pieces) => pieces.join(''))

describe('parseConf and printConf', () => {
  it('give back every text', () => {
    fc.assert(fc.property(confText, (text) => printConf(parseConf(text)) === text))
  })

  it('keep comments, order and endings', () => {
    const text = "# head\r\n\nport = 5432\t# here\nMax_Connections 100\n  include 'a.conf'\nwork-mem = 4MB\nlast = on"
    expect(parseConf(text)).toEqual([
      { kind: 'blank', text: '# head\r\n' },
      { kind: 'blank', text: '\n' },
      { kind: 'setting', text: 'port = 5432\t# here\n', name: 'port', value: '5432' },
      { kind: 'setting', text: 'Max_Connections 100\n', name: 'max_connections', value: '100' },
      { kind: 'include', text: "  include 'a.conf'\n", name: 'include', value: 'a.conf' },
      { kind: 'invalid', text: 'work-mem = 4MB\n' },
      { kind: 'setting', text: 'last = on', name: 'last', value: 'on' },
    ])
    expect(parseConf('')).toEqual([])
  })

  // What pg_file_settings of 14 and 18 said of each of these lines.
  it.each([
    ['port=5432', 'port', '5432'],
    ['port 5432#c', 'port', '5432'],
    ['port=\r5432\r', 'port', '5432'],
    ["port'5432'", 'port', '5432'],
    ['port+5432', 'port', '+5432'],
    ['shared_buffers = 128MB', 'shared_buffers', '128MB'],
    ['n = 0x1Fz', 'n', '0x1Fz'],
    ['n = -1.5e-3', 'n', '-1.5e-3'],
    ['n = .', 'n', '.'],
    ['n = a.b.c', 'n', 'a.b.c'],
    ['n = a/b:c-d', 'n', 'a/b:c-d'],
    ['Ext.Name = on', 'ext.name', 'on'],
    ['é = é', 'é', 'é'],
    ["n = ''", 'n', ''],
    ["n = 'it''s # no comment' # a comment", 'n', "it's # no comment"],
    ["n = 'it\\'s'", 'n', "it's"],
    ["n = 'a\\\\b\\tc\\nd\\x'", 'n', 'a\\b\tc\ndx'],
    ["n = '\\101\\1012'", 'n', 'AA2'],
    ["n = '\\303\\251'", 'n', 'é'],
    ["n = 'a\\0b'", 'n', 'a'],
  ])('read %j as PostgreSQL does', (line, name, value) => {
    expect(parseConf(line)).toEqual([{ kind: 'setting', text: line, name, value }])
  })

  it.each([
    'port',
    'port =',
    '= 5432',
    'port = 5432 5433',
    'port: 5432',
    'a.b.c = 1',
    'a$b = 1',
    'n = a.b',
    'n = a.b # c',
    'n = 12.5MB',
    'n = 1e5',
    "n = 'open",
    "n = 'a' 'b'",
    "n = 'a\\'",
    'n = "a"',
    '5 = 5',
    'n == 5',
    'n = @x',
    '; c',
  ])('find %j invalid, as PostgreSQL does', (line) => {
    expect(parseConf(line)).toEqual([{ kind: 'invalid', text: line }])
  })
})

describe('settingsOf', () => {
  it('lets the last one win, and leaves out includes', () => {
    expect(settingsOf("port = 1\nPORT = 2\ninclude = 'x'\n#port = 3\nbad line here\nport.x = 'a'\n")).toEqual({
      port: '2',
      'port.x': 'a',
    })
  })
})

describe('settingLines', () => {
  it('tells each line that sets something, from 1 on, also where one name is set twice', () => {
    expect(settingLines("# a = 0\nA = 1\n\ninclude 'b'\na = 2")).toEqual([
      { line: 2, name: 'a', value: '1' },
      { line: 5, name: 'a', value: '2' },
    ])
  })
})

describe('hasInclude and withInclude', () => {
  it('know the last line that includes the file', () => {
    expect(includeLine("include 'm.conf'\na = 1\ninclude_if_exists 'm.conf'\n", 'm.conf')).toBe(3)
    expect(includeLine("include 'other.conf'\n", 'm.conf')).toBeUndefined()
  })

  it('find a file that is included either way', () => {
    for (const line of ["include 'm.conf'", "include_if_exists = 'm.conf'", "INCLUDE_IF_EXISTS='m.conf'#c"]) {
      expect(hasInclude(`a = 1\n${line}\n`, 'm.conf')).toBe(true)
    }
    for (const line of ["#include 'm.conf'", "include 'n.conf'", "include_dir 'm.conf'", "x = 'm.conf'"]) {
      expect(hasInclude(`a = 1\n${line}\n`, 'm.conf')).toBe(false)
    }
  })

  it('adds the line at the end, with the reason above it', () => {
    expect(withInclude('port = 5432', 'maestra.conf')).toBe(
      "port = 5432\n# Maestra keeps its settings in this file; what is set below this line wins over it.\ninclude_if_exists 'maestra.conf'\n",
    )
  })

  it('puts the lines of the file in the place of its include', () => {
    const text = "a = 1\ninclude_if_exists 'm.conf'\nb = 2\n"
    expect(withIncluded(text, 'm.conf', 'c = 3')).toBe('a = 1\nc = 3\nb = 2\n')
    expect(settingsOf(withIncluded('a = 1', 'm.conf', 'c = 3\n'))).toEqual({ a: '1', c: '3' })
  })

  it('keeps the line endings of a file from Windows', () => {
    const text = withInclude('port = 1\r\n', 'm.conf')
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
    expect(settingsOf(text)).toEqual({ port: '1' })
  })

  it('leaves all else as it is, and changes nothing a second time', () => {
    const fileName = fc.string({ minLength: 1 }).filter((name) => !/[\n\r\0]/.test(name))
    fc.assert(
      fc.property(confText, fileName, (text, file) => {
        const once = withInclude(text, file)
        expect(once.startsWith(text)).toBe(true)
        expect(hasInclude(once, file)).toBe(true)
        expect(withInclude(once, file)).toBe(once)
      }),
    )
  })

  it('refuses a file name with a line ending', () => {
    expect(() => withInclude('', 'a\nb')).toThrow(
      'the value of include_if_exists holds a line ending or a NUL character',
    )
  })
})

describe('formatSettings', () => {
  it('writes a file in the given order, below its comment', () => {
    expect(
      formatSettings('Written by Maestra.\n\nDo not edit.', {
        wal_level: 'replica',
        'a.b': "it's C:\\x",
        cluster_name: '',
      }),
    ).toBe(
      "# Written by Maestra.\n#\n# Do not edit.\nwal_level = 'replica'\na.b = 'it''s C:\\\\x'\ncluster_name = ''\n",
    )
    expect(formatSettings('', {})).toBe('')
  })

  it('is undone by settingsOf, for every value', () => {
    const name = fc
      .stringMatching(/^[a-z_][a-z0-9_]{0,8}(\.[a-z_][a-z0-9_]{0,8})?$/)
      .filter((text) => !/^include(_if_exists|_dir)?$/.test(text))
    const value = fc
      .oneof(fc.string(), fc.string({ unit: fc.constantFrom("'", '\\', '#', ' ', '"', '\t', '0', 'n', 'é') }))
      .filter((text) => !/[\n\r\0]/.test(text))
    fc.assert(
      fc.property(fc.string(), fc.dictionary(name, value), (header, settings) => {
        expect(settingsOf(formatSettings(header, settings))).toEqual({ ...settings })
      }),
    )
  })

  // The first two are names for SET; in the file they are syntax errors, seen on 18.
  it.each(['a$b', 'a.b.c', '', '1a', 'a-b', 'a b', 'a.', '.a', 'port\n', 'é', 'include', 'Include_Dir'])(
    'refuses the name %j',
    (name) => {
      expect(() => formatSettings('', { [name]: 'x' })).toThrow(
        expect.objectContaining({ code: 'bad-value', message: `${JSON.stringify(name)} is not the name of a setting` }),
      )
    },
  )

  it.each(['secret\nb', 'secret\r', 'secret\0'])('refuses the value %j without repeating it', (value) => {
    expect(() => formatSettings('', { primary_conninfo: value })).toThrow(
      /^the value of primary_conninfo holds a line ending or a NUL character$/,
    )
  })
})

describe('withoutSettings', () => {
  it('takes away the lines that set a name, in any case, and keeps all else', () => {
    const text =
      "# Do not edit this file manually!\nport = '6000'\nwork_mem = '8MB'\nPORT = 1\n\nlisten_addresses = '*'"
    expect(withoutSettings(text, ['port', 'Listen_Addresses'])).toBe(
      "# Do not edit this file manually!\nwork_mem = '8MB'\n\n",
    )
  })

  it('changes nothing where nothing is named', () => {
    fc.assert(
      fc.property(confText, (text) => {
        expect(withoutSettings(text, [])).toBe(text)
      }),
    )
  })
})
