// @ts-check
// Holds the arrows between the rooms, as ARCHITECTURE.md draws them. A room is the first folder below a package's src.
// The pool of client has rooms of its own, one folder further down, by the same rule.
// Tests, their fixtures and conformance suites may import more. A type counts like a value: what a room knows, it depends on.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

/** @type {Record<string, Record<string, string[]>>} What each room of a package may import beside itself. */
const arrows = {
  client: {
    base: [],
    postgres: ['base'],
    routing: ['base', 'postgres'],
    pool: ['base', 'postgres', 'routing'],
    adapters: ['base', 'pool'],
    // The door of the package: src/index.ts, the one file outside a room.
    index: ['base', 'postgres', 'routing', 'pool', 'adapters'],
  },
  maestra: {
    host: ['base'],
    cluster: ['base', 'postgres'],
    doctor: ['base', 'postgres', 'cluster'],
    server: ['base', 'postgres', 'cluster', 'host'],
    plan: ['base', 'postgres', 'cluster', 'doctor'],
    apply: ['base', 'postgres', 'cluster', 'host', 'server', 'plan'],
    sandbox: ['base', 'postgres', 'cluster', 'host', 'server', 'plan', 'apply'],
    // The door of the library: src/index.ts, the one file outside a room.
    index: ['base', 'postgres', 'cluster', 'host', 'server', 'plan', 'doctor', 'apply', 'sandbox'],
    cli: ['base', 'postgres', 'cluster', 'host', 'server', 'plan', 'doctor', 'apply', 'sandbox', 'index'],
  },
}

/** @type {Record<string, string[]>} What each room within client/src/pool may import of the others. */
const poolArrows = {
  calls: [],
  sessions: [],
  connections: ['calls'],
  servers: ['calls', 'connections'],
  writes: ['calls', 'sessions', 'connections', 'servers'],
  reads: ['calls', 'sessions', 'connections', 'servers', 'writes'],
  clients: ['calls', 'sessions', 'connections', 'servers', 'writes', 'reads'],
  // The files that stand in pool itself.
  pool: ['calls', 'sessions', 'connections', 'servers', 'writes', 'reads', 'clients'],
}

/** @type {Record<string, string[]>} Modules with effects, and the rooms or files that may import them. */
const effects = {
  // The files of a node are reached through host. Exceptions, for files of the machine where the command itself runs:
  // cli reads the cluster file and prints what it holds; sandbox finds and stages the embedded binaries.
  fs: ['host', 'cli', 'sandbox'],
  child_process: ['host'],
  net: ['host', 'server', 'sandbox', 'pool', 'routing/watch.ts'],
  pg: ['server', 'pool', 'adapters'],
}
/** Who may use import.meta: the command line is joined in one file, where a module's own place tells nothing of other files. */
const knowTheirPlace = ['host/package-file.ts', 'sandbox/installed-binaries.ts']
/** Names of those modules that are functions from data to data, open to every room. */
const pureNames = ['isIP', 'isIPv4', 'isIPv6']

const packages = resolve(import.meta.dirname, '../packages')
/** @type {string[]} */
const offences = []
let files = 0
let imports = 0

for (const name of readdirSync(packages)) {
  const src = join(packages, name, 'src')
  const sources = (existsSync(src) ? readdirSync(src, { recursive: true, encoding: 'utf8' }) : [])
    .map((file) => file.replaceAll(sep, '/'))
    .filter((file) => file.endsWith('.ts') && !/\.(test|conformance|fixture)\.ts$/.test(file))
  if (sources.length === 0) offences.push(`packages/${name}: no source files were found`)
  files += sources.length
  for (const file of sources.toSorted()) checkFile(name, src, file)
}
if (files === 0) offences.push('packages: no source files were found')
for (const offence of offences) console.error(offence)
console.log(`${files} files, ${imports} imports, ${offences.length} offences`)
process.exitCode = offences.length === 0 ? 0 : 1

/** @param {string} name @param {string} src @param {string} file Relative to src, with slashes. */
function checkFile(name, src, file) {
  const text = readFileSync(join(src, file), 'utf8')
  /** @param {string} what @param {number} at */
  const offend = (what, at = 0) => {
    offences.push(`packages/${name}/src/${file}:${text.slice(0, at).split('\n').length}: ${what}`)
  }
  const room = roomOf(file)
  const mayImport = arrows[name]?.[room]
  if (mayImport === undefined) return offend(`unknown room ${room} of package ${name}, not in scripts/check-arrows.js`)

  const poolRoom = name === 'client' && room === 'pool' ? poolRoomOf(file) : undefined
  const mayImportOfPool = poolRoom === undefined ? [] : poolArrows[poolRoom]
  if (mayImportOfPool === undefined) return offend(`unknown room pool/${poolRoom}, not in scripts/check-arrows.js`)

  const { program, errors } = parseSync(file, text)
  if (errors[0] !== undefined) return offend(`cannot be parsed: ${errors[0].message}`, errors[0].labels[0]?.start)
  /** @param {{ source: import('oxc-parser').Expression | null, specifiers?: any[] }} node */
  const check = ({ source, specifiers = [] }) => {
    if (source === null) return
    imports += 1
    if (source.type !== 'Literal') return offend('what is imported must be a plain string', source.start)
    const specifier = String(source.value)
    const places = effects[specifier.replace(/^node:/, '').split('/')[0] ?? '']
    const pure = specifiers.length > 0 && specifiers.every(({ imported }) => pureNames.includes(imported?.name))
    if (places && !pure && !places.includes(room) && !places.includes(file)) {
      return offend(`room ${room} may not import ${specifier}`, source.start)
    }
    const imported = importedRoom(src, file, specifier)
    if (imported.problem) return offend(`${specifier} ${imported.problem}`, source.start)
    if (imported.room === room && poolRoom !== undefined && imported.path !== undefined) {
      const importedPoolRoom = poolRoomOf(imported.path)
      if (importedPoolRoom === poolRoom || mayImportOfPool.includes(importedPoolRoom)) return
      return offend(`room pool/${poolRoom} may not import room pool/${importedPoolRoom} (${specifier})`, source.start)
    }
    if (imported.room === undefined || imported.room === room || mayImport.includes(imported.room)) return
    offend(`room ${room} may not import room ${imported.room} (${specifier})`, source.start)
  }
  /** @param {{ start: number }} node */
  const checkPlace = ({ start }) => {
    if (!knowTheirPlace.includes(file)) offend('import.meta: ask packageFile of host where a file is', start)
  }
  const everyImport = { ImportDeclaration: check, ImportExpression: check, TSImportType: check }
  new Visitor({
    ...everyImport,
    MetaProperty: checkPlace,
    ExportNamedDeclaration: check,
    ExportAllDeclaration: check,
  }).visit(program)
}

/**
 * The room that an import leads to; undefined for somebody else's package.
 * @param {string} src @param {string} file @param {string} specifier
 * @returns {{ room?: string, path?: string, problem?: string }}
 */
function importedRoom(src, file, specifier) {
  if (specifier === 'maestra' || specifier.startsWith('maestra/')) return { room: 'index' }
  if (specifier.startsWith('@maestra/client')) return { room: specifier.split('/')[2] ?? '' }
  if (!specifier.startsWith('.')) return {}
  const target = resolve(src, dirname(file), specifier.replace(/\.js$/, '.ts'))
  if (!existsSync(target)) return { problem: 'leads to no file' }
  const path = relative(src, target).replaceAll(sep, '/')
  return path.startsWith('../') ? { problem: 'leads out of src' } : { room: roomOf(path), path }
}

/** @param {string} file Relative to src. */
function roomOf(file) {
  if (file === 'index.ts') return 'index'
  return /** @type {string} */ (file.split('/')[0])
}

/** @param {string} file Relative to src, below pool. */
function poolRoomOf(file) {
  const [, room, ...rest] = file.split('/')
  return rest.length === 0 ? 'pool' : String(room)
}
