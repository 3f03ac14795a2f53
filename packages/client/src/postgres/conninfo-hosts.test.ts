import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatConninfo, formatUrl, parseConninfo } from './conninfo.js'
import { type ConninfoHost, conninfoHosts, conninfoOfHosts } from './conninfo-hosts.js'

/** `host/hostaddr:port`, with - for what is not said. */
function said(text: string): string[] {
  return conninfoHosts(parseConninfo(text)).map(
    ({ host = '-', hostaddr, port }) => `${host}${hostaddr === undefined ? '' : `/${hostaddr}`}:${port}`,
  )
}

// The expectations of both tables are what psql 15 tried, or how it refused.
describe('conninfoHosts', () => {
  it.each([
    ['', ['-:5432']],
    ["host='' port=7", ['-:7']],
    ['host=a', ['a:5432']],
    ['host=a,b,c port=1', ['a:1', 'b:1', 'c:1']],
    ['host=a,b,c port=1,2,3', ['a:1', 'b:2', 'c:3']],
    ['host=a,b,c port=1,,3', ['a:1', 'b:5432', 'c:3']],
    ["host=a,b port=''", ['a:5432', 'b:5432']],
    ['host=a,, port=1,2,3', ['a:1', '-:2', '-:3']],
    ['host=, port=1,2', ['-:1', '-:2']],
    ["host='a, b'", ['a:5432', ' b:5432']],
    ['host=/run/pg,@abstract', ['/run/pg:5432', '@abstract:5432']],
    ['hostaddr=10.0.0.1,::1', ['-/10.0.0.1:5432', '-/::1:5432']],
    ['hostaddr=10.0.0.1,10.0.0.2 host=a, port=1', ['a/10.0.0.1:1', '-/10.0.0.2:1']],
    ['hostaddr=,10.0.0.2 host=a,b', ['a:5432', 'b/10.0.0.2:5432']],
    ["hostaddr='' host=a", ['a:5432']],
    ['hostaddr=, port=1', ['-:1', '-:1']],
    ["host=a port=' 1\t'", ['a:1']],
    ['host=a port=+0001', ['a:1']],
    ['host=a,a', ['a:5432', 'a:5432']],
    ['postgres://app@db1,db2,db3/shop', ['db1:5432', 'db2:5432', 'db3:5432']],
    ['postgres://app@db1,db2:5433,[2001:db8::3]:5434/shop', ['db1:5432', 'db2:5433', '2001:db8::3:5434']],
    ['postgres://a:1,b?port=3', ['a:3', 'b:3']],
    ['postgres:///shop?host=a,b&hostaddr=10.0.0.1,10.0.0.2', ['a/10.0.0.1:5432', 'b/10.0.0.2:5432']],
    ['postgres://a%2Cb', ['a:5432', 'b:5432']],
    ['postgres:///', ['-:5432']],
  ])('reads %j', (text, hosts) => {
    expect(said(text)).toEqual(hosts)
  })

  it.each([
    ['host=a,b port=1,2,3', 'the connection string has 3 ports and 2 hosts'],
    ['host=a,b,c port=1,2', 'the connection string has 2 ports and 3 hosts'],
    ['port=1,2', 'the connection string has 2 ports and 1 host'],
    ["host='' port=,", 'the connection string has 2 ports and 1 host'],
    ['hostaddr=10.0.0.1,10.0.0.2 host=a', 'the connection string has 1 host and 2 hostaddr values'],
    ['hostaddr=10.0.0.1 host=a,b', 'the connection string has 2 hosts and 1 hostaddr value'],
    ['hostaddr=10.0.0.1,db2', 'hostaddr 2 in the connection string is not an IP address'],
  ])('refuses %j', (text, message) => {
    expect(() => said(text)).toThrow(expect.objectContaining({ code: 'bad-value', message }))
  })

  it.each(['0', '65536', '-1', 'x', '1x', '0x1', '1.5', ' ', '99999999999'])('refuses the port %j', (port) => {
    const message = 'the port of host 2 in the connection string is not a whole number from 1 to 65535'
    expect(() => said(`host=a,b port='5432,${port}'`)).toThrow(expect.objectContaining({ code: 'bad-value', message }))
  })

  it('does not repeat a password that a / sent among the hosts', () => {
    const text = 'postgres://app:hunter2/x@db1/shop'
    expect(() => said(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }))
    expect(() => said(text)).toThrow(expect.objectContaining({ hint: expect.stringContaining('%2F') }))
  })
})

const name = fc.constantFrom('db1', 'db2.example.com', '10.0.0.1', '::1', 'fe80::1%eth0', '/var/run/postgresql', '@x')
const port = fc.integer({ min: 1, max: 65535 })
const anyHost: fc.Arbitrary<ConninfoHost> = fc.record({
  host: fc.option(name, { nil: undefined }),
  hostaddr: fc.option(fc.constantFrom('10.0.0.9', '2001:db8::9'), { nil: undefined }),
  port,
})

describe('conninfoOfHosts', () => {
  it('says one port once, and no addresses where there are none', () => {
    const host = { host: 'a', hostaddr: undefined, port: 5433 }
    expect(conninfoOfHosts([host, { ...host, host: 'b' }])).toEqual({ host: 'a,b', port: '5433' })
    expect(conninfoOfHosts([host, { host: undefined, hostaddr: '::1', port: 1 }])).toEqual({
      host: 'a,',
      hostaddr: ',::1',
      port: '5433,1',
    })
  })

  it('is undone by conninfoHosts, also through a text', () => {
    fc.assert(
      fc.property(fc.array(anyHost, { minLength: 1, maxLength: 5 }), (hosts) => {
        expect(conninfoHosts(parseConninfo(formatConninfo(conninfoOfHosts(hosts))))).toEqual(hosts)
      }),
    )
  })

  it('refuses no hosts, and a host that would be two', () => {
    expect(() => conninfoOfHosts([])).toThrow(expect.objectContaining({ code: 'bad-value' }))
    expect(() => conninfoOfHosts([{ host: 'a,b', hostaddr: undefined, port: 1 }])).toThrow(
      'a host of a connection holds a comma',
    )
  })
})

describe('formatUrl with several hosts', () => {
  const parts = { user: 'app', database: 'shop' }

  it('writes each with its port', () => {
    const hosts = [
      { host: 'db1', port: 5432 },
      { host: '::1', port: 5433 },
    ] as const
    expect(formatUrl({ ...parts, hosts, params: { target_session_attrs: 'primary' } })).toBe(
      'postgresql://app@db1:5432,[::1]:5433/shop?target_session_attrs=primary',
    )
  })

  it('is undone by parseConninfo and conninfoHosts', () => {
    const host = fc.record({ host: name, port })
    fc.assert(
      fc.property(host, fc.array(host, { maxLength: 4 }), (first, more) => {
        const read = conninfoHosts(parseConninfo(formatUrl({ ...parts, hosts: [first, ...more] })))
        expect(read).toEqual([first, ...more].map((each) => ({ ...each, hostaddr: undefined })))
      }),
    )
  })

  it('refuses a host that would be two', () => {
    const hosts = [
      { host: 'a,b', port: 1 },
      { host: 'c', port: 2 },
    ] as const
    expect(() => formatUrl({ ...parts, hosts })).toThrow(expect.objectContaining({ code: 'bad-value' }))
  })
})
