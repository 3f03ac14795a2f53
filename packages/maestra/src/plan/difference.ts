/** Where on which host a file says something else than what is declared. */
export type FilePlace = {
  readonly host: string
  /** Absolute. */
  readonly file: string
  /** Counts from 1; absent when it is about no one line, or about one that is not there yet. */
  readonly line?: number
}

/** One thing in which a file of a node differs from what is declared. Passwords in it are `***`. */
export type Difference = {
  readonly place: FilePlace
  /** The name of a setting, or of what else has a value; absent for a whole line: a rule of pg_hba.conf, an include. */
  readonly what?: string
  /** What the file says; absent when it says nothing. */
  readonly from?: string
  /** What it is to say; absent when it is to say nothing. */
  readonly to?: string
}

/** `127.0.0.1:/srv/db1/maestra.conf:14 work_mem 4MB -> 16MB` */
export function differenceText({ place, what, from, to }: Difference): string {
  const absent = what === undefined ? { from: '(not there)', to: '(gone)' } : { from: '(not set)', to: '(not set)' }
  const change = `${from ?? absent.from} -> ${to ?? absent.to}`
  return [placeText(place), ...(what === undefined ? [] : [what]), change].join(' ')
}

/** `127.0.0.1:/srv/db1/maestra.conf:14`, an IPv6 address in brackets. */
export function placeText({ host, file, line }: FilePlace): string {
  const name = host.includes(':') ? `[${host}]` : host
  return `${name}:${file}${line === undefined ? '' : `:${line}`}`
}
