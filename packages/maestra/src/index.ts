import type { Sandbox, SandboxOptions } from './sandbox/sandbox.js'
import { startSandbox as start } from './sandbox/start-sandbox.js'

export { type ErrorCode, errorCodes, MaestraError } from '@maestra/client/base/error'
export type { ClusterStatus, NodeState, NodeStatus } from './cluster/cluster-status.js'
export type { Sandbox, SandboxNode, SandboxOptions, SandboxRole } from './sandbox/sandbox.js'

/**
 * Starts a primary and its replicas on this machine: real servers, ready when every replica streams. What a killed owner
 * left is taken down first. Fails as a whole, with a MaestraError: then nothing of it is left.
 */
// Typed here, so that who uses it needs no types of what it is made of.
export const startSandbox: (options?: SandboxOptions) => Promise<Sandbox> = start
