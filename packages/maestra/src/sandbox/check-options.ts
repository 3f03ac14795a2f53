import { MaestraError } from '@maestra/client/base/error'
import { nearestWord } from '../cluster/nearest-word.js'
import type { StartOptions } from './start-options.js'

type Kind = { readonly words: string; readonly fits: (value: unknown) => boolean }

const typeOf = (type: 'string' | 'number' | 'boolean' | 'function', words: string): Kind => ({
  words,
  fits: (value) => typeof value === type,
})

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const kinds: Readonly<Record<keyof StartOptions, Kind>> = {
  replicas: typeOf('number', 'a number'),
  name: typeOf('string', 'a text'),
  version: typeOf('number', 'a number'),
  durable: typeOf('boolean', 'true or false'),
  parameters: { words: "an object of texts, such as { work_mem: '8MB' }", fits: isObject },
  // By what it has: a test framework may have a class of its own.
  signal: { words: 'an AbortSignal', fits: (value) => isObject(value) && typeof value['aborted'] === 'boolean' },
  detach: typeOf('boolean', 'true or false'),
  onEvent: typeOf('function', 'a function'),
}

/** The compiler holds who writes TypeScript to the options; this holds everybody. What is undefined was not given. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw badValue('the options of startSandbox', 'an object', options)
  for (const [key, value] of Object.entries(options)) {
    if (!Object.hasOwn(kinds, key)) throw unknownOption(key)
    const { words, fits } = kinds[key as keyof StartOptions]
    if (value !== undefined && !fits(value)) throw badValue(`the option ${key} of startSandbox`, words, value)
  }
  for (const [name, value] of Object.entries(options['parameters'] ?? {})) {
    if (typeof value !== 'string') throw badValue(`the parameter ${name} of a sandbox`, 'a text', value)
  }
}

function unknownOption(key: string): MaestraError {
  const near = nearestWord(key, Object.keys(kinds))
  const all = 'replicas, name, version, durable, parameters, signal'
  return new MaestraError('bad-usage', `startSandbox has no option ${JSON.stringify(key)}`, {
    hint: near === undefined ? `its options are ${all}` : `did you mean ${near}?`,
  })
}

function badValue(what: string, words: string, value: unknown): MaestraError {
  return new MaestraError('bad-value', `${what} must be ${words}, not ${shown(value)}`)
}

/** In one line, and no longer than somebody wants to read. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (Array.isArray(value)) return 'an array'
  return typeof value === 'object' && value !== null
    ? 'an object'
    : typeof value === 'function'
      ? 'a function'
      : String(value)
}
