import { badValue, quoted } from './bad-value.js'

declare const lsnBrand: unique symbol

/**
 * A position in the write-ahead log: bytes since the start of the log, 64 bits unsigned. Comparable with < and > to
 * another Lsn of the same history.
 */
export type Lsn = bigint & { readonly [lsnBrand]: true }

const lsnPattern = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/

/**
 * Whether the text has the form of PostgreSQL's type pg_lsn: two hexadecimal numbers of at most 8 digits around a
 * slash.
 */
export function isLsn(text: string): boolean {
  return lsnPattern.test(text)
}

/** Reads `16/B374D848`, with or without zeros in front. Throws bad-value. */
export function parseLsn(text: string): Lsn {
  const [, high, low] = lsnPattern.exec(text) ?? []
  if (high === undefined || low === undefined) {
    throw badValue(`${quoted(text)} is not an LSN`, 'An LSN looks like 16/B374D848.')
  }
  return ((BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)) as Lsn
}

/**
 * The form that PostgreSQL 14 to 18 prints, without zeros in front: `16/B374D848`, `0/0`. 19 prints 8 digits behind
 * the slash, so texts of servers are never compared, only what they parse to.
 */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16)}/${(lsn & 0xffff_ffffn).toString(16)}`.toUpperCase()
}

/** The LSN that is so many bytes from the start of the log. Throws bad-value outside of 64 bits. */
export function lsnOf(value: bigint): Lsn {
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) {
    throw badValue(`${value} is not an LSN`, 'An LSN is an unsigned number of 64 bits.')
  }
  return value as Lsn
}

/**
 * Bytes of log from `from` to `to`, negative when `to` lies before. Exact up to 2^53 bytes (8 PiB); further apart it
 * is the nearest double.
 */
export function bytesBetween(from: Lsn, to: Lsn): number {
  return Number(to - from)
}

/** Negative, zero or positive, as Array.prototype.sort wants it. */
export function compareLsn(a: Lsn, b: Lsn): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The furthest of the given positions. @public */
export function maxLsn(first: Lsn, ...others: readonly Lsn[]): Lsn {
  return others.reduce((furthest, lsn) => (lsn > furthest ? lsn : furthest), first)
}
