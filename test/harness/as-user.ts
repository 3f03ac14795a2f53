import { chownSync } from 'node:fs'

/** An account as spawn takes it. */
export type User = { readonly uid: number; readonly gid: number }

/** The account `nobody` of Debian, Alpine and others: it owns nothing. */
const nobody: User = { uid: 65_534, gid: 65_534 }

export const isRoot = process.getuid?.() === 0

/** An account without rights: nobody where the tests run as root, else (undefined) the one that runs them. */
export const plainUser: User | undefined = isRoot ? nobody : undefined

/** Makes files and folders the property of `plainUser`. */
export function giveToPlainUser(...paths: readonly string[]): void {
  if (plainUser !== undefined) for (const path of paths) chownSync(path, plainUser.uid, plainUser.gid)
}
