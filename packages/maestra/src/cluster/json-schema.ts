import { z } from 'zod'
import { clusterFileSchema } from './schema.js'

/** The JSON Schema of maestra.yaml, for editors; published as maestra/schema.json. @internal */
export function clusterFileJsonSchema(): object {
  const { $schema, ...rest } = z.toJSONSchema(clusterFileSchema, { target: 'draft-2020-12', io: 'input' })
  return { $schema, $id: 'urn:maestra:cluster-file', ...rest }
}
