import { isIPv6 } from 'node:net'
import pg from 'pg'
import { badValue } from '../../postgres/bad-value.js'
import { type Conninfo, parseConninfo } from '../../postgres/conninfo.js'
import { type ConninfoHost, conninfoHosts } from '../../postgres/conninfo-hosts.js'

/** What node-postgres needs to reach one of the servers. */
export type NodeConfig = {
  /** `host:port`, as events and statistics name the server. */
  readonly address: string
  readonly config: pg.PoolConfig
}

/**
 * One config for each server that the options name, in their order; of servers named twice, the first. Several hosts stand in a connection string
 * (`postgres://app@db1,db2:5433/shop`), in `host` and `port` with commas, or in PGHOST and PGPORT, as libpq takes them.
 * Throws bad-value.
 */
export function nodeConfigs(options: pg.PoolConfig, environment: NodeJS.ProcessEnv): readonly NodeConfig[] {
  const hosts = hostsOf(options, environment)
  const configs = hosts.map((at) => ({
    address: addressOf(at),
    config: hosts.length === 1 ? options : configOf(options, at),
  }))
  return configs.filter(({ address }, index) => configs.findIndex((other) => other.address === address) === index)
}

function hostsOf(options: pg.PoolConfig, environment: NodeJS.ProcessEnv): readonly ConninfoHost[] {
  const { connectionString } = options
  const isUri = connectionString !== undefined && /^\s*postgres(?:ql)?:\/\//.test(connectionString)
  // node-postgres takes more forms for one host (`socket:/path`, `/path database`): they are its own affair.
  const named: Conninfo = isUri ? parseConninfo(connectionString) : {}
  const host = named['host'] ?? options.host ?? environment['PGHOST'] ?? 'localhost'
  const port = named['port'] ?? (options.port === undefined ? environment['PGPORT'] : String(options.port))
  return conninfoHosts({ host, ...(port === undefined ? {} : { port }) })
}

function addressOf({ host = 'localhost', port }: ConninfoHost): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`
}

/** What a connection string says goes before other options with node-postgres, so the host has to be changed in the string. */
function configOf(options: pg.PoolConfig, at: ConninfoHost): pg.PoolConfig {
  const { connectionString } = options
  const host = at.host ?? 'localhost'
  const own = { host, port: at.port }
  return connectionString === undefined
    ? withHidden(options, own)
    : withHidden(options, { ...own, connectionString: withOneHost(connectionString, host, at.port) })
}

/** node-postgres hides the password from whoever prints the options; a copy has to take it along. */
function withHidden(options: pg.PoolConfig, own: pg.PoolConfig): pg.PoolConfig {
  const { password } = options
  return { ...options, ...(password === undefined ? {} : { password }), ...own }
}

function withOneHost(uri: string, host: string, port: number): string {
  const [, scheme, credentials = '', rest = ''] =
    /^\s*(postgres(?:ql)?:\/\/)((?:[^@/?]*@)?)[^/?]*(.*?)\s*$/s.exec(uri) ?? []
  if (scheme === undefined)
    throw badValue(
      'the connection string names several hosts and is no URI',
      'Write postgres://user@db1,db2/database, or give host and port as options.',
    )
  const [path = '', query = ''] = rest.split(/\?(.*)/s)
  const kept = query.split('&').filter((pair) => pair !== '' && !/^(?:host|hostaddr|port)=/.test(pair))
  const place = isIPv6(host) ? `[${host}]` : encodeURIComponent(host)
  return `${scheme}${credentials}${place}:${port}${path}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
}

/**
 * The time limit of node-postgres ends the connection, and with it what others have under way. It may stand in a connection string or in
 * its defaults as well, which a client that is never connected tells.
 */
export function hasQueryTimeout(config: pg.PoolConfig): boolean {
  const { connectionParameters } = new pg.Client({
    ...config,
    password: config.password,
  } as pg.ClientConfig) as unknown as {
    connectionParameters: { query_timeout?: unknown }
  }
  return Boolean(connectionParameters.query_timeout)
}
