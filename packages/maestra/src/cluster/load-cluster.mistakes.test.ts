import { describe, expect, test } from 'vitest'
import { loadCluster } from './load-cluster.js'

const file = '/srv/shop/maestra.yaml'

/** The findings as text: place, rule, message and hint. */
function said(text: string): string[] {
  const { cluster, findings } = loadCluster(text, file)
  expect(cluster === undefined).toBe(findings.length > 0)
  return findings.map(({ rule, message, hint, place }) => {
    expect(place?.file).toBe(file)
    return `${place?.line}:${place?.column} ${rule}: ${message}${hint === undefined ? '' : ` (${hint})`}`
  })
}

/** A file that is right but for what the given lines say in it. */
function withNode(lines: string): string {
  return `cluster: shop\npostgres: { version: 18 }\nnodes:\n  - name: db1\n    data: db1\n    ${lines}\n`
}

function withTop(lines: string): string {
  return `cluster: shop\npostgres: { version: 18 }\nnodes: [{ name: db1, data: db1 }]\n${lines}\n`
}

test.each([
  ['rate: 50MB', 'unknown key `rate` (known here: with, checkpoint, max_rate, verify)'],
  [
    'max_rate: 51200',
    '`max_rate` must be an amount a second from 32kB to 1GB, such as 50MB, not 51200 (write the unit: 51200kB)',
  ],
  [
    'max_rate: 50M',
    '`max_rate` must be an amount a second from 32kB to 1GB, such as 50MB, not "50M" (write it as 50MB)',
  ],
  ['max_rate: 2GB', '`max_rate` must be an amount a second from 32kB to 1GB, such as 50MB, not "2GB"'],
  ['checkpoint: slow', '`checkpoint` must be `fast` or `spread`, not "slow"'],
  ['with: rsync', '`with` must be `maestra` or `pg_basebackup`, not "rsync"'],
])('says what a base backup may be: not %s', (line, words) => {
  expect(said(withTop(`base_backup: { ${line} }`)).map((text) => text.replace(/^.*?: /, ''))).toStrictEqual([words])
})

test('says everything that is wrong, in the order of the file', () => {
  const text = `cluster: Shop
postgres:
  version: "18"
nodes:
  - name: db1
    prot: 5432
    port: abc
    primary: yes
  - data: ~/db2
    host: 0.0.0.0
    parameters: { port: 1, work_mem: [8MB] }
allow: [10.0.0.0/33, all]
`
  expect(said(text)).toMatchInlineSnapshot(`
    [
      "1:10 wrong-value: \`cluster\` must be a name of lower-case letters, digits, \`_\` and \`-\` that begins with a letter and has at most 63 characters, not "Shop" (for example \`shop\`)",
      "3:12 wrong-value: \`version\` must be a major version of PostgreSQL from 14 to 19, not "18" (write it without quotes: 18)",
      "5:5 missing-key: node db1 has no \`data\` (\`data\` is a path, absolute or relative to the cluster file)",
      "6:5 unknown-key: unknown key \`prot\`; did you mean \`port\`? (known here: name, host, port, data, follows, via, primary, parameters)",
      "7:11 wrong-value: \`port\` must be a whole number from 1 to 65535, not "abc"",
      "8:14 wrong-value: \`primary\` must be true or false, not "yes" (write \`true\`)",
      "9:5 missing-key: node 2 has no \`name\` (\`name\` is a name of lower-case letters, digits, \`_\` and \`-\` that begins with a letter and has at most 63 characters)",
      "9:11 wrong-value: \`data\` must be a path, absolute or relative to the cluster file, not "~/db2" (\`~\` is not replaced by the home directory; write the whole path)",
      "10:11 wrong-value: \`host\` must be an IP address or a host name at which the node can be reached, not "0.0.0.0" (that is where a server listens; declare it as the parameter \`listen_addresses\`)",
      "11:19 reserved-parameter: the parameter \`port\` cannot be declared: declare \`port\` of the node",
      "11:28 wrong-value: \`work_mem\` must be text, a number, true or false, not a list",
      "12:9 wrong-value: each entry of \`allow\` must be an address, a range such as 10.0.0.0/8, or a host name, not "10.0.0.0/33"",
      "12:22 wrong-value: each entry of \`allow\` must be an address, a range such as 10.0.0.0/8, or a host name, not "all" (for everybody, write 0.0.0.0/0 and ::/0)",
    ]
  `)
})

describe('refuses a file that', () => {
  test.each([
    ['is empty', ''],
    ['holds only a comment', '# nothing\n'],
    ['holds only a document mark', '---\n'],
    ['is a list', '- name: db1\n'],
    ['is a text', 'hello\n'],
    ['is a number', '18\n'],
    ['is binary', '\u007fELF\u0002\u0001\u0000'],
    ['is UTF-16, read as UTF-8', '\ufffd\ufffdc\u0000l\u0000'],
    ['holds an escape sequence further down', 'cluster: shop\n  \u001b[0m'],
    ['is indented by a tab', 'cluster: shop\npostgres:\n\tversion: 18\n'],
    ['has a key twice', `${withTop('')}cluster: shop\n`],
    ['has a key twice in a node', withNode('port: 1\n    port: 2')],
    ['has a parameter twice in different case', withTop('parameters: { work_mem: 1MB, Work_Mem: 2MB }')],
    ['has two documents', `${withTop('')}---\ncluster: other\n`],
    ['leaves a bracket open', 'cluster: shop\nnodes: [{ name: db1 }\n'],
    ['leaves a quote open', 'cluster: "shop\nnodes: []\n'],
    ['leaves a bracket open above other lines', 'cluster: shop\nallow: [10.0.0.0/8\nnodes:\n  - name: db1\n'],
    ['leaves a quote open far above', 'cluster: shop\nnodes:\n  - name: "db1\n    data: x\n  - name: db2\n'],
    ['has two colons in a line', 'cluster: shop: x\n'],
    ['has a colon without a space', 'cluster: shop\npostgres:18\nnodes: []\n'],
    ['begins a value with a reserved character', 'cluster: @shop\n'],
    ['begins a value with a per cent sign', 'cluster: %shop\n'],
    ['begins an entry in the line of its key', 'nodes: - name: db1\n'],
    ['is indented unevenly', 'cluster: shop\n  postgres: 18\nnodes: []\n'],
    ['ends a bracket that is not open', 'cluster: shop}\nnodes: ]\n'],
    ['indents an entry unevenly', 'nodes:\n  - name: db1\n - name: db2\n'],
    ['has a key with a control character', '"a\\e[0m\\nb": 1\n'],
    ['goes on after its end', '{ cluster: shop }\nnodes: []\n'],
    ['has a tag', withNode('host: !host db1')],
    ['refers to an anchor that is not there', withNode('parameters: *common')],
    ['refers to itself', withNode('parameters: &a { x: *a }')],
    ['has a list as a key', '? [a]\n: b\n'],
    ['has a key without a word', ': b\n'],
    ['has an empty entry', 'cluster: shop\npostgres: { version: 18 }\nnodes:\n  -\n'],
    ['has a merge key', withNode('<<: { port: 1 }')],
  ])('%s', (_, text) => {
    expect(said(text)).toMatchSnapshot()
  })

  test.each([
    ['brackets', '['.repeat(20_000)],
    ['dashes', '- '.repeat(20_000)],
    ['keys', '? '.repeat(20_000)],
    ['braces', '{a: '.repeat(20_000)],
    ['lines', Array.from({ length: 500 }, (_, level) => `${' '.repeat(level)}a:\n`).join('')],
    ['aliases', `a0: &a0 [x]\n${Array.from({ length: 100 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]\n`).join('')}`],
  ])('is nested without end by %s', (_, text) => {
    expect(said(text)).toContainEqual(
      expect.stringMatching(/^\d+:\d+ yaml-syntax: the file is nested too deeply for a cluster file$/),
    )
  })

  test('is something else altogether', () => {
    expect(said('a\nb: 1\n'.repeat(1000)).length).toBeLessThanOrEqual(20)
  })

  test('repeats itself by aliases without end', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `a${level + 1}: &a${level + 1} [${`*a${level}, `.repeat(9)}]`,
    )
    expect(said(['a0: &a0 x', ...levels].join('\n')).at(0)).toBe(
      '1:1 yaml-syntax: the file holds more than 20000 values, counting what its aliases repeat',
    )
  })

  test('is as long as no cluster file is', () => {
    expect(said('#'.repeat(300_000))).toStrictEqual([
      '1:1 not-a-cluster-file: the file is too long for a cluster file: it has more than 262144 characters',
    ])
  })
})

describe('says what a value must be:', () => {
  test.each([
    ['cluster: 7'],
    ['cluster:'],
    ['cluster: ~'],
    ['cluster: [shop]'],
    [`cluster: ${'x'.repeat(64)}`],
    ['cluster: über shop'],
    ['postgres: 18'],
    ['postgres:'],
    ['postgres: {}'],
    ['postgres: { version: 18.4 }'],
    ['postgres: { version: "18" }'],
    ['postgres: { version: "18.4" }'],
    ['postgres: { version: 13 }'],
    ['postgres: { version: 20 }'],
    ['postgres: { version: eighteen }'],
    ['postgres: { version: 18, bin: ~/pg }'],
    ['postgres: { version: 18, bin: "" }'],
    ['nodes: []'],
    ['nodes:'],
    ['nodes: { db1: { data: x } }'],
    ['nodes: [db1]'],
    ['nodes: [{}]'],
    ['replication: trust'],
    ['replication: { role: Replicator }'],
    ['replication: { role: postgres }'],
    ['replication: { role: pg_monitor }'],
    ['replication: { role: public }'],
    ['replication: { authentication: md5 }'],
    ['allow: 10.0.0.0/8'],
    ['allow: [10.0.0.0/33]'],
    ['allow: [10.0.0/8]'],
    ['allow: [300.1.1.1]'],
    ['allow: ["::/129"]'],
    ['allow: [all]'],
    ['allow: [samenet]'],
    ['allow: [app_1.example.com, "app server"]'],
    ['allow: [10.0.0.0/8 trust]'],
    ['allow: [7]'],
    ['allow: [~]'],
    ['archive: /srv/archive'],
    ['archive: {}'],
    ['archive: { directory: ~/archive }'],
    ['archive: { command: cp }'],
    ['parameters: [work_mem]'],
    ['parameters: { work_mem: }'],
    ['parameters: { work_mem: { is: 8MB } }'],
    ['parameters: { work-mem: 8MB }'],
    ['parameters: { "": 8MB }'],
    ['parameters: { __proto__: 8MB }'],
    ['parameters: { 8: 8MB }'],
    ['parameters: { port: 5432 }'],
    ['parameters: { PORT: 5432 }'],
    ['parameters: { data_directory: x }'],
    ['parameters: { cluster_name: x }'],
    ['parameters: { hba_file: x }'],
    ['parameters: { primary_conninfo: x }'],
    ['parameters: { primary_slot_name: x }'],
    ['parameters: { include_dir: conf.d }'],
    ['parameters: { maestra.node: db9 }'],
    ['parameters: { hot_standby: off }'],
    ['parameters: { hot_standby: false }'],
    ['parameters: { hot_standby: 0 }'],
    ['parameters: { archive_command: "cp\\nmv" }'],
    ['passfile: 7'],
    ['passfile: "a\\u0000b"'],
    ['__proto__: 7'],
    ['Port: 5432'],
    ['data: x'],
    ['version: 18'],
    ['node: []'],
    ['colour: red'],
  ])('%s', (line) => {
    const [key] = line.split(':')
    const rest = withTop('').split('\n')
    expect(
      said([...rest.filter((other) => !other.startsWith(`${key}:`) && other !== ''), line].join('\n')),
    ).toMatchSnapshot()
  })

  test.each([
    ['name: DB-1'],
    ['name: 1db'],
    ['name: true'],
    ['host: ""'],
    ['host: 0.0.0.0'],
    ['host: "::"'],
    ['host: "*"'],
    ['host: "[::1]"'],
    ['host: db1:5432'],
    ['host: /run/postgresql'],
    ['host: 10.0.0.256'],
    ['host: fe80::1%eth0'],
    ['port: 0'],
    ['port: 65536'],
    ['port: 5432.5'],
    ['port: "5432"'],
    ['port: .inf'],
    ['port:'],
    ['primary: "yes"'],
    ['primary: 1'],
    ['data: ~/db1'],
    ['data: "a\\nb"'],
    ['data:'],
    ['parameters: 7'],
    ['parameters: { port: 1 }'],
    ['standby: true'],
    ['prameters: {}'],
    ['role: replica'],
  ])('%s, in a node', (line) => {
    const [key] = line.split(':')
    const node = ['name: db1', 'data: db1'].filter((other) => !other.startsWith(`${key}:`))
    const text = `cluster: shop\npostgres: { version: 18 }\nnodes:\n  - ${[...node, line].join('\n    ')}\n`
    expect(said(text)).toMatchSnapshot()
  })
})
