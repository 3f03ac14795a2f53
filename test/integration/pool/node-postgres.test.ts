import { maestraPoolOn } from './maestra-pool-on.js'
import { behavesAsNodePostgres } from './node-postgres.js'

behavesAsNodePostgres(0, (sandbox) => maestraPoolOn(sandbox, 'a single server'))
