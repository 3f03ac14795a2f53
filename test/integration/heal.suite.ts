import { afterAll, beforeAll, describe } from 'vitest'
import type { Major } from '../harness/majors.js'
import { openWorkspace, type Workspace } from '../harness/workspace.js'
import { describeFiles } from './heal/files.js'
import { HealedShop } from './heal/healed-shop.js'
import { describeHistories } from './heal/histories.js'
import { describeReplica } from './heal/replica.js'
import { describeReplicationRole } from './heal/replication-role.js'
import { describeWal } from './heal/wal.js'

/**
 * States that somebody else, or a long absence, left; each is brought on by one apply. Briefly: without what does not depend
 * on the major version of PostgreSQL.
 */
export function describeHeal(major: Major, { briefly = false } = {}): void {
  describe(`a cluster of PostgreSQL ${major.version} is healed`, () => {
    let workspace: Workspace
    let started: HealedShop
    const shop = () => started

    beforeAll(async () => {
      workspace = openWorkspace()
      started = await HealedShop.start(workspace, major)
    })

    afterAll(() => workspace.remove())

    describe('by what its WAL tells', () => describeWal(shop))
    describe('when its replication role', () => describeReplicationRole(shop))
    describe('when its replica', () => describeReplica(shop))
    if (!briefly) describe('when its files', () => describeFiles(shop))
    if (!briefly) describe('when two histories', () => describeHistories(shop))
  })
}
