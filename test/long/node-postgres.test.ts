import { behavesAsNodePostgres } from '../integration/pool/node-postgres.js'
import { nodePostgresOn } from '../integration/pool/node-postgres-on.js'

// What our pool is held to is what node-postgres itself does.
behavesAsNodePostgres(0, nodePostgresOn)
