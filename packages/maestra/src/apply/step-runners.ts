import type { StepKind } from '../plan/step.js'
import type { StepRunner } from './step-runner.js'
import { awaitStreaming } from './steps/await-streaming.js'
import { copyPrimary } from './steps/copy-primary.js'
import { createArchive } from './steps/create-archive.js'
import { createReplicationRole } from './steps/create-replication-role.js'
import { createSlot } from './steps/create-slot.js'
import { dropSlot } from './steps/drop-slot.js'
import { initialise } from './steps/initialise.js'
import { moveAside } from './steps/move-aside.js'
import { reload } from './steps/reload.js'
import { restart } from './steps/restart.js'
import { start } from './steps/start.js'
import { writeConfiguration } from './steps/write-configuration.js'
import { writePassfile } from './steps/write-passfile.js'

/** Every kind of step and the file that runs it. */
export const stepRunners: { readonly [K in StepKind]: StepRunner<K> } = {
  'write-passfile': writePassfile,
  'create-archive': createArchive,
  initialise,
  'write-configuration': writeConfiguration,
  reload,
  restart,
  start,
  'create-replication-role': createReplicationRole,
  'create-slot': createSlot,
  'replace-slot': createSlot,
  'drop-slot': dropSlot,
  'move-aside': moveAside,
  'copy-primary': copyPrimary,
  'await-streaming': awaitStreaming,
}
