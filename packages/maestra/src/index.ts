export { type ErrorCode, errorCodes, MaestraError } from '@maestra/client/base/error'
export type { ClusterStatus, NodeState, NodeStatus } from './cluster/cluster-status.js'
export type { Sandbox, SandboxNode, SandboxOptions, SandboxRole } from './sandbox/sandbox.js'
export { startSandbox } from './sandbox/start-sandbox.js'
