import { Forwarder } from './forwarder.js'
import type { KeeperAnswer, KeeperLink, KeeperRequest, Link } from './keeper-request.js'

/** The links of a sandbox: one forwarder for each standby. */
export class Links {
  readonly #links = new Map<string, { readonly forwarder: Forwarder; state: KeeperLink }>()

  async open(links: readonly Link[]): Promise<void> {
    for (const link of links) {
      const forwarder = new Forwarder(link.port, link.target)
      await forwarder.listen()
      this.#links.set(link.node, { forwarder, state: { ...link, cut: false } })
    }
  }

  async answer(request: KeeperRequest): Promise<KeeperAnswer> {
    if (request.verb === 'links') return this.#done()
    return await this.#change(request)
  }

  async #change(request: Exclude<KeeperRequest, { verb: 'links' }>): Promise<KeeperAnswer> {
    const link = this.#links.get(request.node)
    if (link === undefined) return { ok: false, error: `there is no link of ${request.node}` }
    switch (request.verb) {
      case 'cut':
        link.state = { ...link.state, cut: true }
        await link.forwarder.cut()
        break
      case 'mend':
        link.state = { ...link.state, cut: false }
        link.forwarder.mend()
        break
      case 'retarget':
        link.state = { ...link.state, target: request.port }
        link.forwarder.retarget(request.port)
        break
    }
    return this.#done()
  }

  #done(): KeeperAnswer {
    return { ok: true, links: [...this.#links.values()].map(({ state }) => state) }
  }
}
