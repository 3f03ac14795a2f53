import type { Rule } from './rule.js'
import { allowedAddresses } from './rules/allowed-addresses.js'
import { archiveCleanup } from './rules/archive-cleanup.js'
import { archiveCommandLength } from './rules/archive-command-length.js'
import { archiveDirectory } from './rules/archive-directory.js'
import { archiving } from './rules/archiving.js'
import { delayedStandby } from './rules/delayed-standby.js'
import { duplicateNodes } from './rules/duplicate-nodes.js'
import { listenAddresses } from './rules/listen-addresses.js'
import { onePrimary } from './rules/one-primary.js'
import { recoveryTargets } from './rules/recovery-targets.js'
import { replicationTimeouts } from './rules/replication-timeouts.js'
import { sendersAndSlots } from './rules/senders-and-slots.js'
import { settingsOfMajor } from './rules/settings-of-major.js'
import { slotLimits } from './rules/slot-limits.js'
import { standbyMinimum } from './rules/standby-minimum.js'
import { synchronousCommit } from './rules/synchronous-commit.js'
import { synchronousStandbys } from './rules/synchronous-standbys.js'
import { trustedAddresses } from './rules/trusted-addresses.js'
import { upstreams } from './rules/upstreams.js'
import { wholeNumbers } from './rules/whole-numbers.js'

/** Every rule. Findings without a place in the file come in this order. */
export const rules: readonly Rule[] = [
  duplicateNodes,
  onePrimary,
  upstreams,
  wholeNumbers,
  sendersAndSlots,
  standbyMinimum,
  settingsOfMajor,
  listenAddresses,
  allowedAddresses,
  trustedAddresses,
  synchronousStandbys,
  synchronousCommit,
  delayedStandby,
  replicationTimeouts,
  slotLimits,
  recoveryTargets,
  archiving,
  archiveCleanup,
  archiveDirectory,
  archiveCommandLength,
]
