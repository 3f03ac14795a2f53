import { badValue, damagedFile, quoted } from './bad-value.js'
import { isLsn, type Lsn, parseLsn } from './lsn.js'

declare const timelineBrand: unique symbol

/** The number of a timeline: 1 after initdb, a new one with each promotion. 32 bits unsigned, never 0. */
export type TimelineId = number & { readonly [timelineBrand]: true }

/** One line of a history file: the log of `parent` counts up to `switchpoint`, where the next timeline begins. */
export type TimelineSwitch = {
  readonly parent: TimelineId
  /** The first byte that is no longer `parent`'s. */
  readonly switchpoint: Lsn
  /** Words of PostgreSQL, such as "no recovery target specified". */
  readonly reason: string
}

/** Throws bad-value for what is not a whole number from 1 to 2^32 - 1. */
export function timelineOf(n: number): TimelineId {
  if (!Number.isInteger(n) || n < 1 || n > 0xffff_ffff) {
    throw badValue(`${n} is not a timeline`, 'Timelines are numbered from 1.')
  }
  return n as TimelineId
}

/** Reads the decimal form that SQL functions and IDENTIFY_SYSTEM give. Throws bad-value. */
export function parseTimeline(text: string): TimelineId {
  if (!/^\d{1,10}$/.test(text))
    throw badValue(`${quoted(text)} is not a timeline`, 'A timeline is a decimal number from 1.')
  return timelineOf(Number(text))
}

/**
 * The timeline in the name of a WAL segment, also of a partial one, or of a backup or history file: its first 8
 * hexadecimal digits. Throws bad-value.
 * @public
 */
export function timelineOfWalFileName(name: string): TimelineId {
  const [, digits] = /^([0-9A-F]{8})(?:[0-9A-F]{16}(?:\.partial|\.[0-9A-F]{8}\.backup)?|\.history)$/.exec(name) ?? []
  if (digits === undefined) {
    throw badValue(
      `${quoted(name)} is not the name of a WAL file`,
      'A WAL file is named like 000000010000000000000003.',
    )
  }
  return timelineOf(Number.parseInt(digits, 16))
}

/**
 * Reads a history file (00000003.history), oldest switch first. Lines that are empty or begin with # say nothing.
 * Throws damaged-file.
 * @public
 */
export function parseTimelineHistory(text: string): TimelineSwitch[] {
  const switches: TimelineSwitch[] = []
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const found = switchOf(trimmed, index + 1)
    const before = switches.at(-1)
    if (before && found.parent <= before.parent) {
      throw damagedFile(
        `line ${index + 1} of the timeline history names timeline ${found.parent} after ${before.parent}`,
        'Timelines grow from line to line; fetch the history file again from the primary.',
      )
    }
    switches.push(found)
  }
  return switches
}

function switchOf(line: string, number: number): TimelineSwitch {
  const [, timeline, lsn, reason] = /^(\d{1,10})\s+(\S+)(?:\s+(.*))?$/.exec(line) ?? []
  if (
    timeline === undefined ||
    lsn === undefined ||
    !isLsn(lsn) ||
    !(Number(timeline) >= 1 && Number(timeline) <= 0xffff_ffff)
  ) {
    throw damagedFile(
      `line ${number} of the timeline history is ${quoted(line)}`,
      'A line holds a timeline, an LSN and a reason; fetch the history file again from the primary.',
    )
  }
  return { parent: timelineOf(Number(timeline)), switchpoint: parseLsn(lsn), reason: reason ?? '' }
}

/**
 * Whether a server on `ownTimeline`, whose history file says `history`, holds all log before `lsn` as it was written on timeline `tli`.
 * True on the own timeline; on a parent up to its switch point, that included, as an LSN names the byte after the log
 * it stands for; false on a timeline that this history never passed.
 * @public
 */
export function historyContains(
  history: readonly TimelineSwitch[],
  ownTimeline: TimelineId,
  tli: TimelineId,
  lsn: Lsn,
): boolean {
  if (tli === ownTimeline) return true
  const left = history.find((entry) => entry.parent === tli)
  return left !== undefined && lsn <= left.switchpoint
}
