import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import type { DataPath } from './data-path.js'
import type { Finding, SourcePlace } from './finding.js'
import { tooDeepAt } from './nesting.js'
import { SourceText } from './source-text.js'
import { unclosedStart } from './unclosed.js'
import { type Words, wording } from './wording.js'
import { yamlErrorWords } from './yaml-error-words.js'

/** A YAML file as plain data that still knows where each value stands. */
export type YamlSource = {
  /** Undefined when the file cannot be read as YAML, or holds nothing. */
  readonly data: unknown
  readonly findings: readonly Finding[]
  /** Where a value begins; for a mapping or a list under a key, the key. */
  valuePlace(path: DataPath): SourcePlace | undefined
  /** Where the key that carries a value begins; for an entry of a list, the entry. */
  keyPlace(path: DataPath): SourcePlace | undefined
  /** A number or a plain word as it is written: `0.10`, `0600`. */
  writtenText(path: DataPath): string | undefined
  /** The first place in the file. */
  readonly start: SourcePlace
}

type Spot = {
  readonly key?: number | undefined
  readonly value?: number | undefined
  readonly written?: string | undefined
}

/** Far above any cluster file, and below what makes reading one slow. */
const mostCharacters = 256 * 1024
/** Counted after the aliases are followed, so that a few lines of them cannot fill the memory. */
const mostValues = 20_000
const mostLevels = 50
/** In a file that is something else altogether nearly every line is wrong. */
const mostSyntaxErrors = 20

/** Reads a text as one document of YAML 1.2. Never throws. */
export function readYaml(text: string, file: string): YamlSource {
  // A byte order mark is no part of the first line that the user sees.
  const source = new SourceText(text.replace(/^\uFEFF/, ''), file)
  const reader = new Reader(source)
  const data = reader.read()
  const spot = (path: DataPath) => reader.spots.get(JSON.stringify(path))
  const place = (offset: number | undefined) => (offset === undefined ? undefined : source.place(offset))
  return {
    data,
    findings: reader.findings,
    valuePlace: (path) => place(spot(path)?.value ?? spot(path)?.key),
    keyPlace: (path) => place(spot(path)?.key ?? spot(path)?.value),
    writtenText: (path) => spot(path)?.written,
    start: source.place(0),
  }
}

class Reader {
  readonly findings: Finding[] = []
  readonly spots = new Map<string, Spot>()
  readonly #source: SourceText
  readonly #anchors = new Map<string, Node>()
  /** The collections around the value that is being read. */
  readonly #open = new Set<Node>()
  #values = 0

  constructor(source: SourceText) {
    this.#source = source
  }

  read(): unknown {
    const { text } = this.#source
    if (text.length > mostCharacters) return this.#find('not-a-cluster-file', wording.tooLong(mostCharacters), 0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const rubbish = text.search(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffd]/)
    if (rubbish !== -1) return this.#find('not-a-cluster-file', wording.notText, rubbish)
    const deep = tooDeepAt(text, mostLevels)
    if (deep !== undefined) return this.#find('yaml-syntax', wording.tooDeep, deep)
    return this.#document(parseDocument(text, { prettyErrors: false, uniqueKeys: false, version: '1.2' }))
  }

  #document(document: Document.Parsed): unknown {
    for (const [offset, problem] of syntaxErrors(document, this.#source)) {
      const written = this.#source.text.slice(...problem.pos)
      this.#find('yaml-syntax', yamlErrorWords(problem.code, problem.message, written), offset)
    }
    // What the parser makes of a file that it does not understand is a guess, and so would be every finding about it.
    if (this.findings.length > 0) return undefined
    if (isNothing(document.contents)) return this.#find('not-a-cluster-file', wording.empty, 0)
    const data = this.#plain(document.contents, [], undefined)
    return this.#values > mostValues ? this.#find('yaml-syntax', wording.tooMany(mostValues), 0) : data
  }

  #plain(node: Node | null, path: DataPath, key: number | undefined): unknown {
    if (++this.#values > mostValues) return undefined
    const offset = node?.range?.[0]
    if (node === null) return this.#keep(path, { key }, null)
    if (isAlias(node)) return this.#aliased(node.source, path, key, offset ?? 0)
    // Aliases can lie deeper in one another than the text does.
    if (path.length > mostLevels) return this.#find('yaml-syntax', wording.tooDeep, offset ?? 0)
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) {
      const nothing = node.value === null && (node.source ?? '') === ''
      return this.#keep(
        path,
        { key, value: nothing && key !== undefined ? key : offset, written: node.source },
        node.value,
      )
    }
    this.#keep(path, { key, value: key ?? offset }, undefined)
    this.#open.add(node)
    const value = isMap(node)
      ? this.#mapping(node, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.#plain(item as Node | null, [...path, index], undefined))
        : undefined
    this.#open.delete(node)
    return value
  }

  #aliased(anchor: string, path: DataPath, key: number | undefined, offset: number): unknown {
    const target = this.#anchors.get(anchor)
    if (target !== undefined && !this.#open.has(target)) return this.#plain(target, path, key)
    this.#find('yaml-syntax', target === undefined ? wording.noAnchor(anchor) : wording.ownAlias(anchor), offset)
    return this.#keep(path, { key, value: offset }, undefined)
  }

  #mapping(map: YAMLMap, path: DataPath): Record<string, unknown> {
    // Without a prototype, `__proto__` is a key like any other.
    const mapping: Record<string, unknown> = Object.create(null)
    for (const pair of map.items as readonly Pair[]) {
      const key = pair.key as Node | null
      const value = pair.value as Node | null
      const offset = key?.range?.[0] ?? value?.range?.[0] ?? map.range?.[0] ?? 0
      if (!isScalar(key) || isNothing(key)) {
        this.#find('yaml-syntax', wording.keyNotText, offset)
        continue
      }
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
      const first = this.spots.get(JSON.stringify([...path, name]))?.key
      if (!Object.hasOwn(mapping, name)) mapping[name] = this.#plain(value, [...path, name], offset)
      else this.#find('duplicate-key', wording.keyTwice(name, this.#source.place(first ?? offset).line), offset)
    }
    return mapping
  }

  #keep(path: DataPath, spot: Spot, value: unknown): unknown {
    this.spots.set(JSON.stringify(path), spot)
    return value
  }

  #find(rule: string, { message, hint }: Words, offset: number): undefined {
    const place = this.#source.place(offset)
    // An alias can lead here more than once.
    if (
      this.findings.some(
        (finding) =>
          finding.message === message && finding.place?.line === place.line && finding.place.column === place.column,
      )
    )
      return
    this.findings.push({ rule, severity: 'error', message, hint, place })
  }
}

/** No text at all, where `~` and `null` are words for nothing. */
function isNothing(node: Node | null): boolean {
  return node === null || (isScalar(node) && node.value === null && (node.source ?? '') === '')
}

/**
 * The errors of the parser, each with its offset. One mistake often makes it stumble several times over a line: the
 * first says what to mend.
 */
function syntaxErrors(document: Document.Parsed, source: SourceText): [number, YAMLError][] {
  const problems = [...document.errors, ...document.warnings]
  const open = problems.some(isUnclosed) ? unclosedStart(document, source.text) : undefined
  const ofLine = new Map<number, [number, YAMLError]>()
  for (const problem of problems) {
    const offset = (isUnclosed(problem) ? open : undefined) ?? problem.pos[0]
    const { line } = source.place(offset)
    if (!ofLine.has(line) && ofLine.size < mostSyntaxErrors) ofLine.set(line, [offset, problem])
  }
  return [...ofLine.values()]
}

function isUnclosed({ message }: YAMLError): boolean {
  return /flow|quote/i.test(message)
}
