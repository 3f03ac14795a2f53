import { type Sandbox, startSandbox } from '../../packages/maestra/src/index.js'

/** Where it is set, suites of the pool run on servers of that major version: see test/long/pool-majors.test.ts. */
export const majorVariable = 'MAESTRA_TEST_MAJOR'

/** A sandbox of the major version that this run is for, the newest where nothing else is said. */
export async function startServers(options: Parameters<typeof startSandbox>[0]): Promise<Sandbox> {
  const major = process.env[majorVariable]
  return await startSandbox(major === undefined ? options : { ...options, version: Number(major) })
}
