import { isIP } from 'node:net'
import { isWildcardAddress } from '../../cluster/address.js'
import type { DeclaredNode } from '../../cluster/declared-cluster.js'
import type { Finding } from '../../cluster/finding.js'
import { hostKey } from '../host-key.js'
import { parameterPlace } from '../place.js'
import type { Rule } from '../rule.js'

/** A node listens where the others look for it. */
export const listenAddresses: Rule = {
  name: 'listen-addresses',
  why: 'Standbys, applications and Maestra reach a node at its host. A server that does not listen there refuses them all.',
  check(view) {
    const nodes = view.declared?.nodes ?? []
    return nodes.flatMap((node): Finding[] => {
      const listens = addressesOf(node)
      if (listens === undefined || listens.some((address) => mayCover(address, node.host))) return []
      const declared = node.parameters['listen_addresses'] ?? ''
      return [
        {
          rule: 'listen-addresses',
          // Without any address nothing at all can connect; an address may be translated to another on its way.
          severity: listens.length === 0 ? 'error' : 'warning',
          message:
            listens.length === 0
              ? '`listen_addresses` is empty: no node can connect to another'
              : `\`listen_addresses\` is ${declared}, and ${node.name} is to be reached at ${node.host}`,
          hint: `leave it out for ${node.host} alone, or add that address`,
          place: parameterPlace(view, node, 'listen_addresses'),
        },
      ]
    })
  },
}

/** Undefined where the file says nothing: then the node listens at its host. */
function addressesOf(node: DeclaredNode): readonly string[] | undefined {
  return node.parameters['listen_addresses']?.split(',').flatMap((address) => address.trim().replaceAll('"', '') || [])
}

/** Which addresses a name stands for is not known here, but for localhost: another name may cover whatever it likes. */
function mayCover(address: string, host: string): boolean {
  const listens = addressesBehind(address)
  const reached = addressesBehind(host)
  if (address === '*' || listens === undefined || reached === undefined) return true
  return listens.some((one) => reached.some((other) => covers(one, other)))
}

function addressesBehind(text: string): readonly string[] | undefined {
  if (text.toLowerCase() === 'localhost') return ['127.0.0.1', '::1']
  return isIP(text) === 0 || text.includes('%') ? undefined : [text]
}

/** 0.0.0.0 stands for every IPv4 address, and :: for every one of IPv6. */
function covers(address: string, reached: string): boolean {
  return isWildcardAddress(address) ? isIP(address) === isIP(reached) : hostKey(address) === hostKey(reached)
}
