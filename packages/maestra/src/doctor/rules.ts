import type { Rule } from './rule.js'
import { duplicateNodes } from './rules/duplicate-nodes.js'
import { onePrimary } from './rules/one-primary.js'
import { sendersAndSlots } from './rules/senders-and-slots.js'
import { standbyMinimum } from './rules/standby-minimum.js'
import { wholeNumbers } from './rules/whole-numbers.js'

/** Every rule. Findings without a place in the file come in this order. */
export const rules: readonly Rule[] = [duplicateNodes, onePrimary, wholeNumbers, sendersAndSlots, standbyMinimum]
