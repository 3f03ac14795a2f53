import type { HeldSettings } from '../cluster/node-configuration.js'
import type { Difference } from './difference.js'

/**
 * One change that a plan asks for. A step is data: it is printed, compared, counted, and run by the file of its kind
 * in apply.
 */
export type Step = StepCommon &
  (
    | { readonly kind: 'write-passfile' }
    | { readonly kind: 'create-archive'; readonly node: string; readonly directory: string }
    | { readonly kind: 'initialise'; readonly node: string }
    | {
        readonly kind: 'write-configuration'
        readonly node: string
        readonly differences: readonly Difference[]
        /** What the settings file goes on telling until something else is done. */
        readonly held?: HeldSettings
      }
    | { readonly kind: 'reload'; readonly node: string }
    | { readonly kind: 'restart'; readonly node: string }
    | { readonly kind: 'start'; readonly node: string }
    | { readonly kind: 'create-replication-role'; readonly node: string; readonly role: string }
    | { readonly kind: 'create-slot'; readonly node: string; readonly slot: string; readonly standby: string }
    | { readonly kind: 'replace-slot'; readonly node: string; readonly slot: string; readonly standby: string }
    | { readonly kind: 'drop-slot'; readonly node: string; readonly slot: string; readonly standby: string }
    | {
        readonly kind: 'move-aside'
        readonly node: string
        readonly data: string
        /** Whether somebody asked for it; else the data are of no use any more. */
        readonly asked: boolean
      }
    | {
        readonly kind: 'copy-primary'
        readonly node: string
        readonly from: string
        /** What the settings file tells until the primary has been restarted. */
        readonly held?: HeldSettings
      }
    | {
        readonly kind: 'await-streaming'
        readonly node: string
        readonly from: string
        /** Nobody waits until it has replayed something: it replays late, or one through which its WAL comes does. */
        readonly late?: true
      }
  )

type StepCommon = {
  /** One line, for people: why the declared and the observed differ. */
  readonly why: string
  /** Interrupts connections of applications. Such a step is asked about, or needs `--yes`. */
  readonly disruptive: boolean
  /** Takes the data of a node out of use; they are kept. */
  readonly destructive: boolean
}

export type StepKind = Step['kind']
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>
