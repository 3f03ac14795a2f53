import type { ApplyEvent } from '../apply/apply-plan.js'
import type { SandboxOptions } from './sandbox.js'

/** What an application may ask of a new sandbox, and what the command line asks beside that. */
export type StartOptions = SandboxOptions & {
  readonly onEvent?: (event: ApplyEvent) => void
  /** Has it live on when this process ends, until somebody takes it down. */
  readonly detach?: boolean
}
