/** What a keeper is asked to do with the link of one standby. `port` is that of the server to connect to from now on. */
export type KeeperRequest =
  | { readonly verb: 'cut'; readonly node: string }
  | { readonly verb: 'mend'; readonly node: string }
  | { readonly verb: 'retarget'; readonly node: string; readonly port: number }
  | { readonly verb: 'links' }

/** A request and its answer are one line of JSON each; the token is in the sandbox's record, which only its owner can read. */
export type KeeperEnvelope = { readonly token: string; readonly request: KeeperRequest }

export type KeeperAnswer =
  | { readonly ok: true; readonly links: readonly KeeperLink[] }
  | { readonly ok: false; readonly error: string }

/** A link as it is. */
export type KeeperLink = {
  readonly node: string
  readonly port: number
  readonly target: number
  readonly cut: boolean
}

/** Where a standby connects, and where its bytes go. */
export type Link = Omit<KeeperLink, 'cut'>
