import { parseBytes } from '@maestra/client/postgres/setting-value'

/** The limits of PostgreSQL's MAX_RATE, in kB a second. */
const lowestKb = 32
const highestKb = 1024 * 1024

/** Whether it is a whole number of kB, MB or GB that the server takes as a rate. */
export function isBaseBackupRate(text: string): boolean {
  if (!/^[1-9]\d{0,6}(kB|MB|GB)$/.test(text)) return false
  const rate = baseBackupRateKb(text)
  return rate >= lowestKb && rate <= highestKb
}

/** In the unit of MAX_RATE. */
export function baseBackupRateKb(text: string): number {
  return parseBytes(text) / 1024
}
