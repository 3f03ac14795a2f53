const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

/** 1024 B is 1 kB, as PostgreSQL counts. */
export function bytesText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

/** In the unit that leaves few digits. */
export function timeText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 2 * minute) return `${(ms / 1000).toFixed(1)} s`
  if (ms < 2 * hour) return `${Math.round(ms / minute)} min`
  return ms < 2 * day ? `${(ms / hour).toFixed(1)} h` : `${Math.round(ms / day)} d`
}
