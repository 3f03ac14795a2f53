import { maestraPoolOn } from './maestra-pool-on.js'
import { behavesAsNodePostgres } from './node-postgres.js'

behavesAsNodePostgres(2, (sandbox) => maestraPoolOn(sandbox, 'a primary and its replicas'))
