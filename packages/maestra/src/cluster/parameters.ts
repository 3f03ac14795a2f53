/** The name of a parameter, or of an extension's parameter with its prefix, as PostgreSQL accepts it in a file. */
export const parameterNamePattern = /^(?!__proto__$)[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)*$/

const elsewhere = 'it reads another file; declare the parameters themselves'

/** Parameters that may not be declared, because something else in the cluster file says them; with what that is. */
export const reservedParameters: Readonly<Record<string, string>> = {
  port: 'declare `port` of the node',
  data_directory: 'declare `data` of the node',
  cluster_name: 'Maestra sets it to the `name` of the node',
  config_file: 'PostgreSQL takes it from the command line alone',
  hba_file: 'Maestra keeps a block in pg_hba.conf; declare who may connect under `allow`',
  primary_conninfo: 'Maestra sets it from `host` and `port` of the primary and from `replication`',
  primary_slot_name: 'Maestra names the slot of a standby after the `name` of the node',
  include: elsewhere,
  include_if_exists: elsewhere,
  include_dir: elsewhere,
}

/** What to declare instead of a parameter that may not be declared; undefined for every other. */
export function insteadOf(parameter: string): string | undefined {
  const name = parameter.toLowerCase()
  if (name.startsWith('maestra.')) return 'Maestra marks its own files with parameters of that prefix'
  return Object.hasOwn(reservedParameters, name) ? reservedParameters[name] : undefined
}

/** Whether PostgreSQL reads a value as `off`: the word or an unambiguous beginning of off, false or no, in any case. */
export function isOff(value: unknown): boolean {
  if (typeof value !== 'string') return value === false || value === 0
  const word = value.trim().toLowerCase()
  // `o` alone could also begin `on`.
  return word === '0' || (!['', 'o'].includes(word) && ['off', 'false', 'no'].some((off) => off.startsWith(word)))
}
