import { codeOf, MaestraError, messageOf } from '@maestra/client/base/error'
import type { Secret } from '@maestra/client/base/secret'
import pg from 'pg'
import { superuser } from '../cluster/declared-cluster.js'
import { LendingSocket } from './lending-socket.js'

/** Where a server answers, and as whom to ask it. */
export type Login = {
  /** For messages: the name of the node. */
  readonly node: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: Secret | undefined
  readonly database?: string
  /** Speaks the replication protocol instead of running SQL on a database. */
  readonly replication?: boolean
  readonly timeoutMs?: number
  /** Connections to use again, where one piece of work follows another. */
  readonly kept?: KeptConnections
}

/** An open connection; the caller ends it. */
export async function connect(login: Login): Promise<pg.Client> {
  const client = new pg.Client({
    host: login.host,
    port: login.port,
    user: login.user,
    database: login.database ?? superuser,
    ...(login.password === undefined ? {} : { password: login.password.reveal() }),
    connectionTimeoutMillis: login.timeoutMs ?? 5000,
    application_name: 'maestra',
    ...(login.replication
      ? { replication: 'true', stream: () => LendingSocket.make() }
      : // A commit of ours must not wait for a synchronous standby that is not there yet.
        { options: '-c synchronous_commit=local', query_timeout: login.timeoutMs ?? 30_000 }),
  } as pg.ClientConfig)
  // A connection that breaks while nobody waits for an answer must not end the process; the next query says it.
  client.on('error', () => {})
  try {
    await client.connect()
    return client
  } catch (error) {
    void client.end().catch(() => {})
    throw connectionError(login, error)
  }
}

/** Runs one piece of work on a connection of its own. */
export async function withConnection<T>(login: Login, work: (client: pg.Client) => Promise<T>): Promise<T> {
  if (login.kept !== undefined) return await login.kept.use(login, work)
  const client = await connect(login)
  try {
    return await work(client)
  } catch (error) {
    throw workError(login, error)
  } finally {
    await client.end().catch(() => {})
  }
}

/** The server ended the connection in the middle, or refused a statement of ours. */
function workError(login: Login, error: unknown): unknown {
  if (error instanceof MaestraError) return error
  const code = codeOf(error)
  const isAnswer = code !== undefined && /^[0-9A-Z]{5}$/.test(code)
  const where = `${login.node} (${login.host}:${login.port})`
  return isAnswer
    ? new MaestraError('command-failed', `${where} answers: ${messageOf(error)} (SQLSTATE ${code})`, { cause: error })
    : new MaestraError('connection-failed', `the connection to ${where} broke: ${messageOf(error)}`, { cause: error })
}

/**
 * Connections that stay open between pieces of work: a login by SCRAM and a new server process take longer than most of what
 * is asked. One that broke, or whose work failed, is not used again.
 */
export class KeptConnections {
  readonly #idle = new Map<string, pg.Client[]>()
  readonly #broken = new WeakSet<pg.Client>()

  async use<T>(login: Login, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const key = JSON.stringify([login.host, login.port, login.user, login.database])
    const client = this.#take(key) ?? (await this.#open(login))
    try {
      const result = await work(client)
      this.#give(key, client)
      return result
    } catch (error) {
      void client.end().catch(() => {})
      throw workError(login, error)
    }
  }

  /** Ends those that nobody uses. */
  async end(): Promise<void> {
    const all = [...this.#idle.values()].flat()
    this.#idle.clear()
    await Promise.all(all.map((client) => client.end().catch(() => {})))
  }

  async #open(login: Login): Promise<pg.Client> {
    const client = await connect(login)
    client.once('end', () => this.#broken.add(client))
    return client
  }

  #take(key: string): pg.Client | undefined {
    const client = this.#idle.get(key)?.pop()
    return client !== undefined && this.#broken.has(client) ? this.#take(key) : client
  }

  #give(key: string, client: pg.Client): void {
    this.#idle.set(key, [...(this.#idle.get(key) ?? []), client])
  }
}

/** SQLSTATE of an error that the server sent, or the error name of the operating system. */
export function errorCodeOf(error: unknown): string | undefined {
  const cause = error instanceof MaestraError ? error.cause : error
  return codeOf(cause)
}

/** The line of pg_hba.conf that is missing, or that another one stands above, as the server tells from where we came. */
function hbaHint({ user, replication, database = superuser }: Login, message: string): string | undefined {
  const address = /pg_hba\.conf .*\bhost "([^"]+)"/.exec(message)?.[1]
  if (address === undefined) return undefined
  const range = address.includes(':') ? `${address}/128` : `${address}/32`
  return `its pg_hba.conf needs a line such as this, above those that refuse: host ${replication ? 'replication' : database} ${user} ${range} scram-sha-256`
}

function connectionError(login: Login, error: unknown): MaestraError {
  const where = `${login.node} (${login.host}:${login.port})`
  const code = errorCodeOf(error)
  if (code === 'ECONNREFUSED') {
    return new MaestraError('connection-failed', `${where} refuses connections: no server listens there`, {
      cause: error,
    })
  }
  if (code === '28P01' || code === '28000') {
    return new MaestraError('connection-failed', `${where} does not let ${login.user} in: ${messageOf(error)}`, {
      cause: error,
      hint: hbaHint(login, messageOf(error)) ?? 'is the password in the passfile of the cluster the one of the server?',
    })
  }
  // node-postgres has no code for it: the server asks for a password and there is none to send.
  if (login.password === undefined && messageOf(error).includes('password must be a string')) {
    return new MaestraError(
      'password-missing',
      `${where} asks for the password of ${login.user}, and it is not known here`,
      {
        cause: error,
        hint: 'put the passfile of the cluster back, set PGPASSWORD, or write it into ~/.pgpass',
      },
    )
  }
  return new MaestraError('connection-failed', `cannot connect to ${where} as ${login.user}: ${messageOf(error)}`, {
    cause: error,
  })
}
