/**
 * The order in which this process saw things happen: every connection that was opened, commit that was acknowledged and
 * capture that was sent takes the next number, so that "before" is `<`. One for all pools of a process: see nextNumber().
 */
export type Sequence = { readonly next: () => number }
