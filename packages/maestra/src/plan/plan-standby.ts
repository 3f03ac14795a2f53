import { slotName } from '../cluster/declared-cluster.js'
import type { DataDirectory, RunningServer } from '../cluster/observation.js'
import { type Draft, harmless, join, nothing, refused, steps, stops, unknown } from './draft.js'
import type { ClusterView, NodeView } from './plan-cluster.js'
import { planConfiguration } from './plan-configuration.js'
import { checkDirectory } from './plan-directory.js'
import { planStart } from './plan-start.js'

/** From what a standby is to one that streams from the declared primary through a slot of its own. */
export function planStandby(view: ClusterView, standby: NodeView): Draft {
  const wrong = checkDirectory(standby, view.cluster.name, view.cluster.postgres.version)
  if (stops(wrong)) return wrong
  const { directory } = standby.observed
  return directory.kind === 'data' ? planExistingStandby(view, standby, directory) : planNewStandby(view, standby)
}

function planNewStandby(view: ClusterView, standby: NodeView): Draft {
  const { name, data } = standby.declared
  const from = view.primary.declared.name
  const start = planStart(standby, 'a new standby')
  if (stops(start)) return start
  return join([
    planSlot(view, standby),
    steps({ kind: 'copy-primary', node: name, from, why: `${data} holds no data yet`, ...harmless }),
    start,
    planStreaming(view, standby),
  ])
}

function planExistingStandby(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const wrong = checkStandby(view, standby, directory)
  if (stops(wrong)) return wrong
  const { name } = standby.declared
  const { server } = standby.observed
  const configuration = planConfiguration(view, standby, directory)
  switch (server.kind) {
    case 'down':
      return join([
        planSlot(view, standby),
        configuration,
        planStart(standby, 'it is stopped'),
        planStreaming(view, standby),
      ])
    case 'up':
      return join([
        planSlot(view, standby),
        configuration,
        streams(view, server) ? nothing : planStreaming(view, standby),
      ])
    case 'starting':
      return join([planSlot(view, standby), configuration, planStreaming(view, standby)])
    case 'unreachable':
      return unknown(name, `its server cannot be asked, because ${server.because}`)
  }
}

/** A standby of another system, or one that is no standby any more, is never worked on. */
function checkStandby(view: ClusterView, standby: NodeView, directory: DataDirectory): Draft {
  const { name, data, host, port } = standby.declared
  const { server } = standby.observed
  const primaryDirectory = view.primary.observed.directory
  if (!directory.standbySignal || (server.kind === 'up' && !server.inRecovery)) {
    return refused(
      name,
      `it is declared as a standby and is none: ${data} is ${directory.control.state} on timeline ${directory.control.timeline} at ${directory.control.checkpointLsn === undefined ? 'an unknown position' : 'its own history'}`,
      `was ${name} promoted? declare primary: true for the node that is the primary; this version does not change the primary`,
    )
  }
  const expected = primaryDirectory.kind === 'data' ? primaryDirectory.control.systemIdentifier : undefined
  const found = server.kind === 'up' ? server.systemIdentifier : directory.control.systemIdentifier
  if (expected !== undefined && found !== expected) {
    return refused(
      name,
      `it is of system ${found} (${data}, ${host}:${port}), and the primary ${view.primary.declared.name} of system ${expected}`,
      `name another directory as data of ${name}; this one is not touched`,
    )
  }
  return nothing
}

/** While the primary cannot be asked the step is planned as well: it looks again when its turn comes. */
function planSlot(view: ClusterView, standby: NodeView): Draft {
  const slot = slotName(standby.declared.name)
  const { server } = view.primary.observed
  const found = server.kind === 'up' ? server.slots.find((each) => each.name === slot) : undefined
  if (found?.physical) return nothing
  if (found !== undefined) {
    return refused(
      view.primary.declared.name,
      `its replication slot ${slot} is a logical one, and ${standby.declared.name} needs a physical one of that name`,
      `name the node otherwise, or drop the slot: select pg_drop_replication_slot('${slot}')`,
    )
  }
  return steps({
    kind: 'create-slot',
    node: view.primary.declared.name,
    slot,
    standby: standby.declared.name,
    why:
      server.kind === 'up'
        ? `keeps the WAL that ${standby.declared.name} still needs`
        : `keeps the WAL that ${standby.declared.name} still needs; made unless it is there`,
    ...harmless,
  })
}

function planStreaming(view: ClusterView, standby: NodeView): Draft {
  const from = view.primary.declared.name
  return steps({
    kind: 'await-streaming',
    node: standby.declared.name,
    from,
    why: `it is done when it streams and has replayed what ${from} has now`,
    ...harmless,
  })
}

function streams(view: ClusterView, server: RunningServer): boolean {
  const { host, port } = view.primary.declared
  const receiver = server.walReceiver
  return receiver?.status === 'streaming' && receiver.host === host && receiver.port === port
}
