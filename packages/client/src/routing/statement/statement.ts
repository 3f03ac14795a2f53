/**
 * Why a text is what it is, one sentence each. The words are stable: they are keys of the pool's counters and appear in
 * `explainRoute`.
 */
export const statementReasons = {
  'proven-read':
    'One SELECT, VALUES or TABLE of which every part is known to read only, and to give the same anywhere.',
  'hint-replica': 'A comment or an option says that a replica may answer what Maestra cannot prove.',
  'hint-primary': 'A comment or an option asks for the primary.',
  'refused-by-replica': 'A replica has refused it, since it writes.',
  'row-change': 'One plain INSERT, UPDATE, DELETE or MERGE.',
  'transaction-control': 'It begins, ends or divides a transaction.',
  'locking-clause': 'FOR UPDATE and its like lock rows, which only the primary can.',
  'select-into': 'SELECT INTO makes a table.',
  'data-changing-cte': 'An INSERT, UPDATE, DELETE or MERGE stands in a WITH clause.',
  function: 'It calls a function that is not known to be harmless on a replica and the same there.',
  'user-function': 'A function of that name was made in this database, and may do anything.',
  operator: 'It uses an operator that is not among those of PostgreSQL.',
  'user-operator': 'An operator of that name was made in this database, and its function may do anything.',
  cast: 'It converts to a type that is not known to be harmless.',
  'user-cast': 'A cast or operator class made in this database can be called without being named.',
  'relation-not-plain':
    'A relation of that name is a view, a foreign, unlogged or temporary table, a sequence, has row security, or has such a child.',
  'names-unknown': 'What was made in this database has not been asked yet.',
  'string-escapes': 'A backslash in it means something else while standard_conforming_strings is off.',
  'unknown-syntax': 'It has a part that Maestra does not know.',
  'too-deep': 'It is nested too deeply to be followed.',
  explain: 'EXPLAIN shows what the server that answers would do.',
  show: 'SHOW shows a setting of the server that answers.',
  utility: 'It is a command, not a query.',
  'several-statements': 'The text holds more than one statement.',
  'empty-text': 'The text holds no statement.',
  'too-long': 'Texts of over 16 kB are not parsed.',
  unparsable: 'The grammar of PostgreSQL 18 refuses it.',
  'grammar-not-loaded': 'The grammar of PostgreSQL has not been loaded yet.',
} as const

export type StatementReason = keyof typeof statementReasons

/** Which node a comment of the text, or an option of the call, asks for. */
export type RouteHint = 'primary' | 'replica'

export type StatementKind =
  /** Proven to read only, and to give the same on every node: may go to a replica. Or hinted to be so. */
  | 'read'
  /** Reads as far as the grammar shows, but depends on the server, locks, or holds something unproven. */
  | 'read-on-primary'
  /** Exactly one INSERT, UPDATE, DELETE or MERGE with nothing unproven in it: in autocommit, an ERROR wrote nothing (W1). */
  | 'row-change'
  /** BEGIN, START TRANSACTION. */
  | 'begin'
  /** What ends a transaction in the hope of keeping it: COMMIT, END, PREPARE TRANSACTION; AND CHAIN included. */
  | 'commit'
  /** ROLLBACK, ABORT; AND CHAIN included. */
  | 'rollback'
  /** SAVEPOINT, RELEASE, ROLLBACK TO. */
  | 'savepoint'
  /** All else, COMMIT PREPARED, SET TRANSACTION and several statements in one text included. */
  | 'other'

/** What is known of a text before it is sent. */
export type Statement = {
  readonly kind: StatementKind
  readonly reason: StatementReason
  /** The name that made it so: of a function, a relation, a command. */
  readonly detail?: string
  /** What a comment of the text asks for, heeded or not. */
  readonly hint?: RouteHint
  /** The grammar saw exactly one statement (R8). */
  readonly single: boolean
  /**
   * Sent to the primary it counts as a write (W1). False for proven reads, also where a hint keeps them on the primary, and
   * for what begins, divides or undoes a transaction. True for a read that only a hint sends to replicas.
   */
  readonly mayWrite: boolean
  /** It may have changed a setting of the session, synchronous_commit above all (W4). */
  readonly maySetParameters: boolean
  /** It may have made, changed or dropped what the catalogue names tell of: ask for them again. */
  readonly changesNames: boolean
  /** Nothing speaks against a replica but the lack of a proof: the hint `replica` is heeded. */
  readonly replicaByHint: boolean
  /** Of a `begin`: it says READ ONLY. */
  readonly readOnly?: boolean
}

/** A text of which every part is proven. */
export const provenRead: Statement = {
  kind: 'read',
  reason: 'proven-read',
  single: true,
  mayWrite: false,
  maySetParameters: false,
  changesNames: false,
  replicaByHint: true,
}

/** Whether it leaves nothing behind, wherever it runs: proven reads, also those that a hint keeps on the primary, and hinted ones. */
export function isRead({ kind, mayWrite }: Statement): boolean {
  return kind === 'read' || (kind === 'read-on-primary' && !mayWrite)
}

/** The statement as an option of the call wants it: the option stands before a comment of the text. */
export function withHint(statement: Statement, hint: RouteHint): Statement {
  if (hint === 'primary' && statement.kind === 'read') {
    return { ...statement, hint, kind: 'read-on-primary', reason: 'hint-primary' }
  }
  if (hint === 'replica' && statement.replicaByHint && statement.kind === 'read-on-primary') {
    return { ...statement, hint, kind: 'read', reason: statement.mayWrite ? 'hint-replica' : 'proven-read' }
  }
  return { ...statement, hint }
}
