/**
 * Every code an error of Maestra can carry, with what it means. docs/errors.md is held to this list by a test.
 */
export const errorCodes = {
  'bad-usage': 'The command line asks for something that the command does not offer.',
  'cluster-file-missing': 'There is no cluster file where one was expected.',
  'cluster-file-invalid': 'The cluster file does not say what a cluster file may say; each finding has its line.',
  'no-binaries': 'No PostgreSQL programs of the declared major version were found.',
  'no-server-account': 'Maestra runs as root, and there is no unprivileged account for PostgreSQL to run as.',
  'no-permission': 'A file or a directory cannot be read, entered or written by the account that has to.',
  'port-taken': 'Another program listens on the port that a node is to use.',
  'directory-in-the-way': 'A directory that Maestra has to create exists and holds something else.',
  'apply-locked': 'Another apply works on the same cluster.',
  'lock-lost': 'The lock of this apply was taken over by another one.',
  'plan-refused': 'The cluster is in a state that Maestra does not change; what was seen is in the message.',
  'plan-incomplete': 'What a node is cannot be known right now, so nothing may be planned for it.',
  'plan-outdated': 'The cluster or its file changed after the plan was made, so the plan is not carried out.',
  'plan-file-invalid':
    'A file that is to be applied holds no plan that can be read, or was changed since it was written.',
  'not-converged': 'After the last step the cluster still differs from what is declared.',
  'confirmation-needed': 'The change has to be confirmed, and there is no terminal to ask on.',
  'step-not-true': 'A step ran without an error, and yet what it was to make true is not.',
  'setting-rejected': 'PostgreSQL rejects settings that are declared; the server is as it was.',
  'server-did-not-start': 'A PostgreSQL server ended, or did not become ready, while Maestra waited for it.',
  'server-did-not-stop': 'A PostgreSQL server did not stop within its deadline.',
  'command-failed': 'A program that Maestra ran ended with an error.',
  'connection-failed': 'A PostgreSQL server could not be reached, or refused the connection.',
  'password-missing': 'A password is needed and is in none of the places where Maestra looks.',
  'base-backup-failed': 'The copy of the primary’s data was not completed or is not what the server says it sent.',
  'wrong-system': 'A server or a data directory belongs to another cluster than the one declared.',
  'deadline-passed': 'What was awaited did not become true in time; the message says what was last seen.',
  'bad-value': 'A value does not have the form that PostgreSQL gives it.',
  'damaged-file': 'A file of PostgreSQL does not hold what its format says.',
  'node-not-running': 'A server that something was asked of does not run.',
  'wrong-role': 'A primary was asked for what only a standby can do, or the other way round.',
  'keeper-gone': 'The process that carries the bytes of a sandbox’s replicas does not answer.',
  'sandbox-exists': 'A sandbox of that name is already up.',
  'sandbox-unknown': 'There is no sandbox of that name.',
  'sandbox-ambiguous': 'Several sandboxes are up and none was named.',
  'file-system-failed': 'The operating system refused a file operation, for example because the disk is full.',
  'transaction-on-pool':
    'BEGIN, COMMIT or the like was sent through `pool.query`, where each statement has a connection of its own.',
  'transaction-rolled-back': 'The server answered COMMIT with ROLLBACK: nothing of the transaction is there.',
  'client-released': 'A statement was sent through a client of a pool after it had been given back.',
  'client-not-pinned': 'A client of a pool was asked for what only one connection has, and it has none yet.',
  'not-read-only': 'A client that was asked for to read only was given a statement that is no proven read.',
  'replica-behind': 'The replica of a client that only reads did not replay in time what it has to see.',
  'primary-unknown': 'No primary that has what a statement needs was found in time.',
  'two-primaries': 'Two servers take writes, and none of them is certainly the primary.',
  'writes-lost':
    'A promotion has lost writes that a read would have to see, and the pool was told to refuse such reads.',
  'primary-overloaded': 'Too many reads that no replica could answer in time wait for the primary.',
  interrupted: 'The work was stopped by a signal; the message says what is left.',
} as const

export type ErrorCode = keyof typeof errorCodes

export type MaestraErrorOptions = {
  /** What to do now: a command to type, or a file:line to look at. */
  readonly hint?: string
  readonly cause?: unknown
}

/**
 * An error with a stable code. The message is one line: what is wrong, with what value, where. The hint says what to
 * do.
 */
export class MaestraError extends Error {
  override readonly name = 'MaestraError'
  readonly code: ErrorCode
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: MaestraErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** The one-line text of anything that was thrown. */
export function messageOf(error: unknown): string {
  const { message, errors } = partsOf(error)
  if (message === '' && Array.isArray(errors)) return errors.map(messageOf).join('; ')
  return typeof message === 'string' ? message : String(error)
}

/** The code that an error carries: the name of the operating system's (`ENOENT`), the SQLSTATE of a server's. */
export function codeOf(error: unknown): string | undefined {
  const { code } = partsOf(error)
  return code === undefined ? undefined : String(code)
}

/** By what it has, not by its class: jest runs tests with an Error of their own, which Node.js knows nothing of. */
function partsOf(error: unknown): { readonly message?: unknown; readonly code?: unknown; readonly errors?: unknown } {
  return typeof error === 'object' && error !== null ? error : {}
}
