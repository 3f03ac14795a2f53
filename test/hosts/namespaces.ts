import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { isRunning, untilGone } from '../harness/processes.js'

/** Every namespace of these tests is named like this, with the process that made it; no other is ever touched. */
const prefix = 'maestra-test-'
const folder = '/run/netns'

/** Machines of a network of their own, which no packet leaves: host 1 is 192.168.1.1. */
export class Namespaces {
  readonly #name: string
  readonly #count: number

  private constructor(name: string, count: number) {
    this.#name = name
    this.#count = count
  }

  static make(count: number): Namespaces {
    const made = new Namespaces(`${prefix}${process.pid}-${randomBytes(3).toString('hex')}`, count)
    const hub = made.#of('hub')
    ip(`netns add ${hub}`)
    ip(`-n ${hub} link add switch type bridge`)
    ip(`-n ${hub} link set switch up`)
    for (let host = 1; host <= count; host += 1) {
      const own = made.#of(host)
      ip(`netns add ${own}`)
      ip(`link add eth0 netns ${own} type veth peer name port${host} netns ${hub}`)
      ip(`-n ${hub} link set port${host} master switch up`)
      ip(`-n ${own} addr add ${made.address(host)}/24 dev eth0`)
      ip(`-n ${own} link set eth0 up`)
      ip(`-n ${own} link set lo up`)
    }
    return made
  }

  address(host: number): string {
    return `192.168.1.${host}`
  }

  /** The file by which its network is entered. */
  file(host: number): string {
    return `${folder}/${this.#of(host)}`
  }

  /** By address, as scripts take it. */
  files(): Readonly<Record<string, string>> {
    const hosts = Array.from({ length: this.#count }, (_, index) => index + 1)
    return Object.fromEntries(hosts.map((host) => [this.address(host), this.file(host)]))
  }

  /** A command line that runs there: the first word is the program. */
  command(host: number, ...words: readonly string[]): readonly [string, readonly string[]] {
    return ['nsenter', [`--net=${this.file(host)}`, '--', ...words]]
  }

  /** The processes whose network it is. */
  processes(host: number): readonly number[] {
    return processesIn(this.#of(host))
  }

  /** Bytes that came to it over the network. */
  receivedBytes(host: number): number {
    const [link] = JSON.parse(ip(`-n ${this.#of(host)} -s -j link show eth0`)) as [
      { stats64: { rx: { bytes: number } } },
    ]
    return link.stats64.rx.bytes
  }

  /** Pulls its plug, or puts it back. */
  plug(host: number, state: 'up' | 'down'): void {
    ip(`-n ${this.#of('hub')} link set port${host} ${state}`)
  }

  async remove(): Promise<void> {
    await removeAll(`${this.#name}-`)
  }

  #of(host: number | 'hub'): string {
    return `${this.#name}-${host}`
  }
}

/** Takes down the machines that a killed run left. */
export async function clearNamespaces(): Promise<void> {
  const makers = namespaces(prefix).map((name) => Number(name.slice(prefix.length).split('-')[0]))
  for (const maker of new Set(makers)) if (!isRunning(maker)) await removeAll(`${prefix}${maker}-`)
}

/** Whatever still runs there was started there by these tests. */
async function removeAll(start: string): Promise<void> {
  for (const namespace of namespaces(start)) {
    for (const pid of processesIn(namespace)) {
      if (isRunning(pid)) process.kill(pid, 'SIGKILL')
      await untilGone(pid)
    }
    ip(`netns del ${namespace}`)
  }
}

function namespaces(start: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(start)) : []
}

function processesIn(namespace: string): readonly number[] {
  return ip(`netns pids ${namespace}`).split('\n').filter(Boolean).map(Number)
}

/** Which network a process is in. */
export function networkOf(pid: number): string {
  return readlinkSync(`/proc/${pid}/ns/net`)
}

function ip(words: string): string {
  return execFileSync('ip', words.split(' '), { encoding: 'utf8', env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } })
}
