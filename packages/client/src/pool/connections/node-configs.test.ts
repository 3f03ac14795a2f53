import pg from 'pg'
import { describe, expect, it } from 'vitest'
import { nodeConfigs } from './node-configs.js'

/** Where node-postgres itself would connect to, and as whom. */
function reached(options: pg.PoolConfig, environment: NodeJS.ProcessEnv = {}): string[] {
  return nodeConfigs(options, environment).map(({ address, config }) => {
    const { host, port, user, database } = new pg.Client(config)
    return `${address} = ${user}@${host}:${port}/${database}`
  })
}

describe('the servers of a pool', () => {
  it.each<[string, pg.PoolConfig, string[]]>([
    [
      'a connection string with several hosts',
      { connectionString: 'postgres://app:pw@db1,db2:5433,db3/shop?application_name=x' },
      ['db1:5432 = app@db1:5432/shop', 'db2:5433 = app@db2:5433/shop', 'db3:5432 = app@db3:5432/shop'],
    ],
    [
      'IPv6 addresses',
      { connectionString: 'postgres://app@[::1]:5433,[::2]/shop' },
      ['[::1]:5433 = app@::1:5433/shop', '[::2]:5432 = app@::2:5432/shop'],
    ],
    [
      'hosts among the parameters',
      { connectionString: 'postgres://app@/shop?host=db1,db2&port=5433' },
      ['db1:5433 = app@db1:5433/shop', 'db2:5433 = app@db2:5433/shop'],
    ],
    [
      'host and port with commas',
      { host: 'db1,db2', port: '5433,5434' as unknown as number, user: 'app', database: 'shop' },
      ['db1:5433 = app@db1:5433/shop', 'db2:5434 = app@db2:5434/shop'],
    ],
    ['one host', { host: 'db1', user: 'app', database: 'shop' }, ['db1:5432 = app@db1:5432/shop']],
    [
      'the same server twice',
      { host: 'db1,db2,db1', port: 5433, user: 'app', database: 'shop' },
      ['db1:5433 = app@db1:5433/shop', 'db2:5433 = app@db2:5433/shop'],
    ],
  ])('are read from %s', (_what, options, expected) => {
    expect(reached(options)).toEqual(expected)
  })

  it('are read from PGHOST and PGPORT where the options say nothing', () => {
    expect(reached({ user: 'app', database: 'shop' }, { PGHOST: 'db1,db2', PGPORT: '5433' })).toEqual([
      'db1:5433 = app@db1:5433/shop',
      'db2:5433 = app@db2:5433/shop',
    ])
  })

  it('take the password along, which node-postgres hides', () => {
    const options = new pg.Pool({ host: 'db1,db2', user: 'app', password: 'secret' }).options
    expect(nodeConfigs(options, {}).map(({ config }) => config.password)).toEqual(['secret', 'secret'])
  })

  it('keep a password with special characters in a connection string', () => {
    const [, second] = nodeConfigs({ connectionString: 'postgres://app:p%40ss%2Cword@db1,db2/shop' }, {})
    expect(new pg.Client(second?.config).password).toBe('p@ss,word')
  })

  it.each(['postgres://app@db1,db2:0/shop', 'postgres://app@db1:1,db2:2,db3:x/shop'])(
    'are refused where libpq refuses them: %s',
    (connectionString) => {
      expect(() => nodeConfigs({ connectionString }, {})).toThrow(expect.objectContaining({ code: 'bad-value' }))
    },
  )
})
