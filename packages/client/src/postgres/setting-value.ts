import { badValue, quoted } from './bad-value.js'

/** Bytes of each unit of memory, smallest first. PostgreSQL tells upper from lower case here. */
const bytesOf = { B: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4 } as const
/** Microseconds of each unit of time, smallest first. */
const microsecondsOf = { us: 1, ms: 1000, s: 1_000_000, min: 60_000_000, h: 3_600_000_000, d: 86_400_000_000 } as const

export type MemoryUnit = keyof typeof bytesOf
export type TimeUnit = keyof typeof microsecondsOf

/**
 * `256MB` in bytes. A number alone counts in `bareUnit`, as in PostgreSQL, where each setting has a unit of its own,
 * some of them the block of 8kB. Throws bad-value.
 */
export function parseBytes(value: string, bareUnit: MemoryUnit | '8kB' = 'B'): number {
  return amountOf(value, bytesOf, bareUnit === '8kB' ? 8192 : bytesOf[bareUnit], 'an amount of memory')
}

/** `5min` in milliseconds. A number alone counts in `bareUnit`. Throws bad-value. */
export function parseMilliseconds(value: string, bareUnit: TimeUnit = 'ms'): number {
  return amountOf(value, microsecondsOf, microsecondsOf[bareUnit], 'a length of time') / 1000
}

/**
 * convert_to_base_unit of guc.c: a fraction of a unit is rounded to whole ones of the next smaller unit, so that
 * 1.4999min is 90 s.
 */
function amountOf(
  value: string,
  factors: Readonly<Record<string, number>>,
  bareFactor: number,
  meaning: string,
): number {
  const { number, unit } = partsOf(value)
  if (unit === '') return number * bareFactor
  const units = Object.keys(factors)
  const factor = Object.hasOwn(factors, unit) ? factors[unit] : undefined
  if (factor === undefined) throw badValue(`${quoted(value)} is not ${meaning}`, `The units are ${units.join(', ')}.`)
  const smaller = factors[units[units.indexOf(unit) - 1] ?? '']
  return Number.isInteger(number) || smaller === undefined
    ? number * factor
    : roundHalfToEven((number * factor) / smaller) * smaller
}

/** A number without a unit, rounded to the nearest whole one as PostgreSQL does. Throws bad-value. */
export function parsePlainInteger(value: string): number {
  const { number, unit } = partsOf(value)
  if (unit !== '')
    throw badValue(`${quoted(value)} is not a whole number`, 'This setting takes a number without a unit.')
  return roundHalfToEven(number)
}

/** C's rint, by which PostgreSQL rounds settings: a half goes to the even neighbour. */
export function roundHalfToEven(number: number): number {
  const floor = Math.floor(number)
  if (number - floor !== 0.5) return Math.round(number)
  return floor % 2 === 0 ? floor : floor + 1
}

/** The words that PostgreSQL takes for a boolean, and the fewest letters of each that are clear. */
const booleanWords = [
  ['true', 1, true],
  ['false', 1, false],
  ['yes', 1, true],
  ['no', 1, false],
  ['on', 2, true],
  ['off', 2, false],
  ['1', 1, true],
  ['0', 1, false],
] as const

/** on, off, true, false, yes, no, 1, 0 or an unambiguous beginning of one of them, in any case. Throws bad-value. */
export function parseBoolean(value: string): boolean {
  const text = value.toLowerCase()
  const found = booleanWords.find(([word, fewest]) => text.length >= fewest && word.startsWith(text))
  if (found === undefined)
    throw badValue(`${quoted(value)} is not a boolean`, 'PostgreSQL takes on, off, true, false, yes, no, 1 and 0.')
  return found[2]
}

/** C's isspace. JavaScript's \s takes more for white space. */
const blanks = String.raw`[ \t\n\v\f\r]*`
const decimal = String.raw`(?:(?:0[0-7]*|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`
const numberPattern = new RegExp(
  String.raw`^${blanks}([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)(?![\d.eE])|(${decimal}))${blanks}([A-Za-z]*)${blanks}$`,
)

/** Numbers are read as C's strtol and strtod do: 0x10 is 16, 010 is 8, 08 is none, 1.5 and 1e3 are allowed. */
function partsOf(value: string): { number: number; unit: string } {
  const [, sign, hex, octal, digits, unit] = numberPattern.exec(value) ?? []
  if (unit === undefined)
    throw badValue(
      `${quoted(value)} is not a number`,
      'Write digits, and a unit where the setting has one: 256MB, 5min.',
    )
  const magnitude =
    hex !== undefined ? Number.parseInt(hex, 16) : octal !== undefined ? Number.parseInt(octal, 8) : Number(digits)
  return { number: sign === '-' ? -magnitude : magnitude, unit }
}
