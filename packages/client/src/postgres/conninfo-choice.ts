import { badValue, quoted } from './bad-value.js'
import type { Conninfo } from './conninfo.js'

/** Which servers a connection may end at. `prefer-standby` takes any when no standby answers. */
const targetSessionAttrs = ['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'] as const
/** In which order hosts are tried. */
const loadBalanceHosts = ['disable', 'random'] as const

/** How one of several hosts is chosen. */
export type ConninfoChoice = {
  readonly targetSessionAttrs: (typeof targetSessionAttrs)[number]
  readonly loadBalanceHosts: (typeof loadBalanceHosts)[number]
}

/**
 * What a connection string says of the choice among its hosts, and libpq's defaults where it says nothing. The words
 * are taken as they are written, in lower case alone. Throws bad-value.
 * Source: connectOptions2 of fe-connect.c. libpq knows load_balance_hosts from 16 on, and all words of
 * target_session_attrs from 14 on.
 * @public
 */
export function conninfoChoice(params: Conninfo): ConninfoChoice {
  return {
    targetSessionAttrs: wordOf(params, 'target_session_attrs', targetSessionAttrs),
    loadBalanceHosts: wordOf(params, 'load_balance_hosts', loadBalanceHosts),
  }
}

/** The first word is the default. An empty value is none of them, as in libpq. */
function wordOf<Word extends string>(params: Conninfo, keyword: string, words: readonly [Word, ...Word[]]): Word {
  const [byDefault] = words
  const value = params[keyword] ?? byDefault
  const word = words.find((known) => known === value)
  if (word === undefined)
    throw badValue(
      `${keyword} in the connection string is ${quoted(value)}`,
      `The values of ${keyword} are ${words.join(', ')}.`,
    )
  return word
}
