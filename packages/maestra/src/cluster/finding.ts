/** A place in the cluster file. Lines and columns count from 1. */
export type SourcePlace = {
  readonly file: string
  readonly line: number
  readonly column: number
  /** The line itself, without its end. */
  readonly text: string
}

/** One thing that is wrong or doubtful, said in one line, with what to do about it. */
export type Finding = {
  /** Stable kebab-case word: `unknown-key`, `duplicate-port`, ... */
  readonly rule: string
  readonly severity: 'error' | 'warning'
  readonly message: string
  readonly hint: string | undefined
  /** Where the file says it. Undefined when the finding has no one line. */
  readonly place: SourcePlace | undefined
}
