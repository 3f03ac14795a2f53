import { describeCausality } from '../integration/pool/causality.suite.js'

describeCausality({ reads: 100_000 })
