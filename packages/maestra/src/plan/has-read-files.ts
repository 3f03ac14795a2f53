import type { DataDirectory, ServerObservation } from '../cluster/observation.js'

/** An apply that was killed between the two steps leaves files that are right and a server that has not read them. */
export function hasReadFiles({ configuration }: DataDirectory, server: ServerObservation): boolean {
  return server.kind !== 'up' || (configuration.settingsWrittenAtMs ?? 0) <= server.configurationLoadedAtMs
}
